import Application
import Domain
import Testing

/// Claiming, publishing, settling, letting go.
extension DeadLetterStoreContract {
  private static let event = DeadLetterEvent(at: start, what: "something", actor: "cli:olga")
  private static let edited = ClaimMark(subject: "olga", fingerprint: Fingerprint([UInt8](repeating: 9, count: 32)))

  private func claim(_ letter: DeadLetter, mark: ClaimMark? = nil) -> ReplayClaim {
    ReplayClaim(
      key: letter.key, mark: mark ?? letter.mark, event: Self.event, audit: [AuditEntry(.replay, of: letter, by: "cli:olga", at: Self.start)])
  }

  private func claimed(_ letters: [DeadLetter]) async throws -> Set<UInt64> {
    Set(try await store.claim(letters.map { claim($0) }, patience: .seconds(600)).map { $0.id.high >> 32 })
  }

  private func state(_ letter: DeadLetter) async throws -> DeadLetterState? {
    try await store.find(letter.key.id...letter.key.id, tenant: tenant, limit: 1).first?.state
  }

  private func ingest(_ letters: [DeadLetter]) async throws {
    try await store.ingest(letters.map { DeadLetterArrival(letter: $0, isDated: true) })
  }

  package func aLetterIsClaimedByOneOfMany() async throws {
    let letters = (1...20).map { letter($0) }
    try await ingest(letters)
    let all = try await withThrowingTaskGroup(of: Set<UInt64>.self) { group in
      for _ in 0..<6 { group.addTask { try await claimed(letters) } }
      return try await group.reduce(into: []) { $0 += Array($1) }
    }
    #expect(all.sorted() == Array(1...20))
    #expect(try await state(letter(7)) == .replaying)
    #expect(try await audited().filter { $0.hasPrefix("dead_letter.replay") }.count == 20)
  }

  package func aClaimThatWasNotPublishedInTimeIsFreeAgain() async throws {
    try await ingest([letter(1), letter(2)])
    #expect(try await claimed([letter(1), letter(2)]) == [1, 2])
    try await store.published([letter(1).key])
    try await pass(.milliseconds(50))
    #expect(try await store.claim([claim(letter(1)), claim(letter(2))], patience: .milliseconds(20)).map { $0.id.high >> 32 } == [2])
    try await pass(.milliseconds(50))
    while try await keeping.takeBack(patience: .milliseconds(20)) == 1_000 {}
    #expect(try await state(letter(2)) == .parked)
    #expect(try await state(letter(1)) == .replaying)
  }

  package func whatTheBrokerDidNotTakeIsParkedAgain() async throws {
    try await ingest([letter(1), letter(2)])
    _ = try await claimed([letter(1), letter(2)])
    try await store.published([letter(1).key])
    try await store.giveBack([letter(1).key, letter(2).key], Self.event)
    #expect(try await state(letter(1)) == .replaying)
    #expect(try await state(letter(2)) == .parked)
  }

  package func aReplayThatFailsAgainIsParkedWhateverWasNotedMeanwhile() async throws {
    try await ingest([letter(1)])
    _ = try await claimed([letter(1)])
    #expect(try await store.progress([letter(1).key]) == [letter(1).key: .underWay])
    try await ingest([letter(1, error: "again", after: 5)])
    try await store.published([letter(1).key])
    #expect(try await state(letter(1)) == .parked)
    #expect(try await store.progress([letter(1).key]) == [letter(1).key: .failed])
    #expect(try await claimed([letter(1)]) == [1])
  }

  package func aReplayThatFailsAtAWorkerWhoseClockIsBehindIsParkedAgain() async throws {
    let first = letter(1, after: 10)
    try await ingest([first])
    _ = try await claimed([first])
    try await store.published([first.key])
    try await ingest([first])
    #expect(try await state(first) == .replaying, "a copy of the failure that is known already")
    try await ingest([letter(1, error: "an older failure of the first time", after: 4)])
    #expect(try await state(first) == .replaying)
    let second = letter(1, error: "again", after: 5, isReplay: true)
    try await ingest([second])
    let parked = try #require(try await store.find(first.key.id...first.key.id, tenant: tenant, limit: 1).first)
    #expect(parked.state == .parked && parked.error == "again" && parked.failedAt == first.failedAt)
    #expect(parked.history.map(\.at) == [first.failedAt, Self.start, Self.start + .seconds(5)])
    #expect(try await claimed([first]) == [1])
    try await ingest([second])
    #expect(try await state(first) == .replaying, "a copy of the replay's failure that is known already")
  }

  package func lettersWhoseCommandsWereDoneAreSettled() async throws {
    let letters = (1...6).map { letter($0) }
    try await ingest(letters)
    _ = try await store.claim([claim(letters[1], mark: Self.edited), claim(letters[2])], patience: .seconds(600))
    try await complete(letters[0], letters[0].mark!, "accepted")
    try await complete(letters[1], Self.edited, "rejected")
    try await complete(letters[2], letters[2].mark!, nil)
    try await complete(letters[3], Self.edited, "accepted")
    let progress = try await store.progress(letters.map(\.key))
    #expect(progress[letters[2].key] == .done)
    #expect(progress[letters[1].key] == .rejected(.outOfStock))
    var position: DeadLetterKey?
    repeat { position = try await keeping.settle(after: position, limit: 2).next } while position != nil
    #expect(try await state(letters[0]) == .resolved, "it was done, by whatever delivery")
    #expect(try await state(letters[1]) == .resolved, "what was replayed was done")
    #expect(try await state(letters[2]) == .replaying, "its payment is open")
    #expect(try await state(letters[3]) == .parked, "another command has its id")
    #expect(try await state(letters[4]) == .parked)
  }

  package func onlyParkedLettersAreDiscarded() async throws {
    let letters = (1...3).map { letter($0) }
    try await ingest(letters)
    _ = try await claimed([letters[0]])
    let audit = letters.map { AuditEntry(.discard, of: $0, by: "cli:olga", at: Self.start) }
    #expect(try await store.discard(letters.map(\.key), Self.event, audit: audit) == [letters[1].key, letters[2].key])
    #expect(try await state(letters[1]) == .discarded)
    #expect(try await claimed(letters).isEmpty)
    let failed = ["order.create m-1", "order.create m-2", "order.create m-3"]
    #expect(try await audited() == ["dead_letter.discard m-2", "dead_letter.discard m-3", "dead_letter.replay m-1"] + failed)
    try await ingest([letter(2, after: 9)])
    #expect(try await state(letters[1]) == .parked, "it failed anew")
  }

  package func lettersAreHandedOutOldestFirstUntilTheStart() async throws {
    try await ingest((1...4).map { letter($0, after: Int($0)) })
    var selection = try await DeadLetterSelection(DeadLetterFilter(), tenant: tenant, store: store)
    #expect(try await selection.count() == 4)
    try await ingest([letter(5, after: 5)])
    var ids: [UInt64] = []
    while true {
      let page = try await selection.next(2)
      if page.isEmpty { break }
      ids += page.map { $0.key.id.high >> 32 }
    }
    #expect(ids == [1, 2, 3, 4])
  }

  package func whatIsSettledOrOfNobodyGoesWithTime() async throws {
    var letters = [
      letter(1, reason: .malformed), letter(2, reason: .malformed, after: -9), letter(3, reason: .unauthenticated),
      letter(4, reason: .unauthenticated, after: -5), letter(5), letter(6), letter(7),
    ]
    for nobodys in [0, 1, 3] { letters[nobodys].principal = nil }
    try await ingest(letters)
    _ = try await claimed([letters[6]])
    try await ingest([letter(7, reason: .malformed, error: "edited by mistake", after: -1, isReplay: true)])
    _ = try await store.discard([letters[5].key], Self.event, audit: [AuditEntry(.discard, of: letters[5], by: "cli:olga", at: Self.start)])
    var retention = DeadLetterRetention(mostUnusable: 1)
    // The letters failed long ago by the store's clock, wherever it stands.
    retention.unusable = .seconds(100 * 365 * 86_400)
    var removed = 0
    while true {
      let count = try await keeping.trim(retention, limit: 1)
      if count == 0 { break }
      removed += count
    }
    #expect(removed >= 2)
    func left() async throws -> [UInt64] {
      try await store.newest(DeadLetterFilter(states: nil), tenant: tenant, after: nil, limit: 10).map { $0.key.id.high >> 32 }.sorted()
    }
    #expect(try await left() == [1, 3, 5, 6, 7], "of those that nobody can replay the newest stays")
    try await pass(.milliseconds(30))
    retention.settled = .milliseconds(10)
    #expect(try await keeping.trim(retention, limit: 100) >= 1)
    #expect(try await left() == [1, 3, 5, 7])
    retention.unusable = .milliseconds(10)
    #expect(try await keeping.trim(retention, limit: 100) >= 1)
    #expect(try await left() == [3, 5, 7], "one whose sender was verified stays until it is settled")
  }
}
