import Application
import Domain
import Synchronization
import TestSupport
import Testing

@Suite struct DeadLetterReplayTests {
  /// The message is the letter's body; its id the letter's.
  struct PlainLetterCodec: DeadLetterCodec {
    func read(_ received: ReceivedMessage, at now: Timestamp) -> DeadLetterArrival { preconditionFailure("nothing is read here") }

    func replay(_ letter: DeadLetter, body: [UInt8], under principal: Principal, mark: ReplayMark) -> ReplayMessage {
      let message = Message(exchange: "", routingKey: principal.subject, messageID: letter.commandID, body: body)
      return ReplayMessage(message: message, mark: ClaimMark(subject: principal.subject, fingerprint: Fingerprint([1])))
    }
  }

  /// A broker with a worker behind it: it says whether it takes a message, and does what the test says with it.
  final class Worker: MessageForwarder {
    private let taken = Mutex<[Message]>([])
    let handle: @Sendable (Message) async -> Bool
    init(_ handle: @escaping @Sendable (Message) async -> Bool = { _ in true }) { self.handle = handle }
    var ids: [String] { taken.withLock { $0.compactMap(\.messageID) } }
    var senders: Set<String> { taken.withLock { Set($0.map(\.routingKey)) } }

    func forward(_ messages: [Message]) async -> [ForwardOutcome] {
      var results: [ForwardOutcome] = []
      for message in messages {
        let takes = await handle(message)
        if takes { taken.withLock { $0.append(message) } }
        results.append(takes ? .safe : .notTaken("the queue takes no more"))
      }
      return results
    }
  }

  let store = InMemoryDeadLetterStore()
  var contract: DeadLetterStoreContract { DeadLetterStoreContract(store) }

  private func fill(_ count: Int, change: (inout DeadLetter) -> Void = { _ in }) async throws -> TenantID {
    let contract = contract
    for number in 1...count {
      var letter = contract.letter(UInt64(number), after: number)
      change(&letter)
      try await store.ingest([DeadLetterArrival(letter: letter, isDated: true)])
    }
    return contract.tenant
  }

  private func run(
    _ tenant: TenantID, _ worker: Worker, change: (inout DeadLetterReplay.Settings) -> Void = { _ in }, onNote: @escaping @Sendable (String) -> Void = { _ in }
  ) async throws -> DeadLetterReplay.Report {
    var settings = DeadLetterReplay.Settings(actor: "cli:olga")
    settings.settleLimit = .milliseconds(300)
    change(&settings)
    let now = DeadLetterStoreContract.start + .seconds(1_000_000)
    let replay = DeadLetterReplay(
      ports: .init(store: store, codec: PlainLetterCodec(), forwarder: worker, now: { now }), settings: settings, onNote: { onNote($0.why) })
    return try await replay.run(DeadLetterSelection(DeadLetterFilter(), tenant: tenant, store: store))
  }

  /// What a worker makes of a message: done, or dead-lettered again.
  private func end(_ message: Message, done: Bool) async {
    let letter = store.all.first { $0.commandID == message.messageID }!
    if done {
      store.complete(letter, as: letter.mark!, outcome: "accepted")
    } else {
      var again = letter
      again.failedAt = letter.failedAt + .seconds(2_000_000)
      try? await store.ingest([DeadLetterArrival(letter: again, isDated: true)])
    }
  }

  @Test func eachLetterGoesOnceUnderItsSendersName() async throws {
    let tenant = try await fill(7)
    let worker = Worker()
    let report = try await run(tenant, worker)
    #expect(report.matched == 7 && report.replayed == 7 && report.skipped == 0 && report.failed == 0 && report.aborted == nil)
    #expect(worker.ids == (1...7).map { "m-\($0)" } && worker.senders == ["ann"])
    #expect(store.all.allSatisfy { $0.state == .replaying })
    #expect(try await run(tenant, worker).skipped == 7, "they are under way")
    #expect(worker.ids.count == 7)
  }

  @Test func whatTheBrokerDoesNotTakeIsParkedAgainAndToldOf() async throws {
    let tenant = try await fill(3)
    let report = try await run(tenant, Worker { $0.messageID != "m-2" })
    #expect(report.replayed == 2 && report.failed == 1)
    #expect(store.all.map(\.state) == [.replaying, .parked, .replaying])
  }

  @Test func aBrokerThatTakesNothingEndsIt() async throws {
    let tenant = try await fill(1_100)
    let worker = Worker { Int($0.messageID!.dropFirst(2))! <= 500 }
    let report = try await run(tenant, worker)
    #expect(report.replayed == 500 && report.failed == 500 && report.aborted == "RabbitMQ does not take them: the queue takes no more")
    #expect(store.all.filter { $0.state == .parked }.count == 600)
  }

  @Test func anInterruptedReplayGoesOnWhereItStopped() async throws {
    let tenant = try await fill(30)
    // The process ends between claim and confirm.
    let letters = store.all.prefix(10)
    _ = try await store.claim(
      letters.map { ReplayClaim(key: $0.key, mark: nil, event: DeadLetterEvent(at: $0.failedAt, what: "replayed", actor: nil), audit: []) },
      patience: .seconds(1))
    let worker = Worker()
    #expect(try await run(tenant, worker).replayed == 20)
    store.advance(by: .seconds(60))
    #expect(try await run(tenant, worker).replayed == 10)
    #expect(Set(worker.ids).count == 30 && worker.ids.count == 30)
  }

  @Test func aLetterOfNobodyGoesOnlyUnderTheOperatorsOwnRights() async throws {
    let tenant = try await fill(1) { $0.principal = nil }
    let worker = Worker()
    let notes = Mutex<[String]>([])
    #expect(try await run(tenant, worker, onNote: { note in notes.withLock { $0.append(note) } }).skipped == 1)
    #expect(notes.withLock { $0.first?.contains("--as-me") } == true && worker.ids.isEmpty)
    let olga = Principal(subject: "cli:olga", roles: [.operator], tenant: .standard)
    #expect(try await run(tenant, worker, change: { $0.standIn = olga }).replayed == 1)
    #expect(worker.senders == ["cli:olga"])
  }

  @Test func aLetterWithoutItsBodyIsLeftAlone() async throws {
    let tenant = try await fill(1) { $0.bodySize = 300_000 }
    #expect(try await run(tenant, Worker()).skipped == 1)
    #expect(store.all[0].state == .parked)
  }

  @Test func aRampStopsByItselfAtItsFirstLetterWhereTheCauseIsStillThere() async throws {
    let tenant = try await fill(50)
    let worker = Worker { message in
      await end(message, done: false)
      return true
    }
    let report = try await run(tenant, worker) {
      $0.pace = .ramp(to: 1_000)
      $0.abortAbove = 10
    }
    #expect(report.replayed == 1 && report.failed == 1 && report.aborted?.contains("1 of 1") == true)
  }

  @Test func aRampGoesThroughWhereTheCauseIsMended() async throws {
    let tenant = try await fill(130)
    let worker = Worker { message in
      await end(message, done: true)
      return true
    }
    let report = try await run(tenant, worker) {
      $0.pace = .ramp(to: 10_000)
      $0.abortAbove = 10
    }
    #expect(report.replayed == 130 && report.failed == 0 && report.aborted == nil)
  }

  @Test func aRampWhoseStepNeverSettlesStopsAndSaysWhatIsMissing() async throws {
    let tenant = try await fill(20)
    let report = try await run(tenant, Worker()) { $0.pace = .ramp(to: 10_000) }
    #expect(report.replayed == 1 && report.aborted?.contains("no worker") == true && report.underWay == 1)
  }

  @Test func aReplayWithoutARampStopsTooWhereTooManyFailAgain() async throws {
    let tenant = try await fill(200)
    let worker = Worker { message in
      await end(message, done: message.messageID! == "m-1")
      return true
    }
    let report = try await run(tenant, worker) {
      $0.pace = .rate(2_000)
      $0.abortAbove = 20
    }
    #expect(report.aborted != nil && report.failed >= 9)
    #expect(worker.ids.count == 200, "a step was under way")
  }

  @Test func withALimitForFailuresTheLastAreWaitedFor() async throws {
    let tenant = try await fill(5)
    let worker = Worker { message in
      Task {
        try await Task.sleep(for: .milliseconds(50))
        await end(message, done: message.messageID! != "m-4")
      }
      return true
    }
    let report = try await run(tenant, worker) {
      $0.abortAbove = 50
      $0.settleLimit = .seconds(20)
    }
    #expect(report.replayed == 5 && report.failed == 1 && report.underWay == 0 && report.aborted == nil)
  }

  @Test func whatIsRejectedIsDoneAndToldOf() async throws {
    let tenant = try await fill(3)
    let notes = Mutex<[String]>([])
    let worker = Worker { message in
      let letter = store.all.first { $0.commandID == message.messageID }!
      store.complete(letter, as: letter.mark!, outcome: message.messageID == "m-2" ? "rejected" : "accepted")
      return true
    }
    let report = try await run(tenant, worker, change: { $0.pace = .ramp(to: 100) }, onNote: { note in notes.withLock { $0.append(note) } })
    #expect(report.replayed == 3 && report.rejected == 1 && report.failed == 0 && report.aborted == nil)
    #expect(notes.withLock { $0 } == ["its command was done, and rejected: out_of_stock"])
  }

  @Test(arguments: [
    (ReplayPace.unlimited, [500, 500]), (.rate(20), [20, 20]), (.rate(0.5), [1, 1]), (.rate(10_000), [500, 500]),
    (.ramp(to: 300), [1, 10, 100, 300, 300]), (.ramp(to: 50), [1, 10, 50, 50]),
  ])
  func aPaceIsStepsOfSoManyLetters(pace: ReplayPace, letters: [Int]) {
    #expect(letters.indices.map { pace.letters(inStep: $0) } == letters)
  }

  @Test func whatFailsFastIsTriedInPlaceAndNotOnTheLadder() {
    let policy = RetryPolicy()
    #expect((1...4).map { policy.step(afterFailures: $0, failsFast: true) } == (1...3).map { policy.step(afterFailures: $0) } + [.giveUp])
  }

  @Test func theKeeperSettlesEveryPage() async throws {
    let tenant = try await fill(25)
    for letter in store.all { store.complete(letter, as: letter.mark!, outcome: "accepted") }
    var settings = DeadLetterKeeper.Settings(retention: DeadLetterRetention(mostUnusable: 100))
    settings.page = 10
    settings.pause = .milliseconds(1)
    struct Silent: DeadLetterJournal { func note(_ note: DeadLetterNote) {} }
    let keeper = DeadLetterKeeper(store: store, holder: "w1", journal: Silent(), settings: settings)
    let keeping = Task { await keeper.run() }
    #expect(await eventually { store.all.allSatisfy { $0.state == .resolved && $0.key.tenant == tenant } })
    keeping.cancel()
    await keeping.value
  }
}
