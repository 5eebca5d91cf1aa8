import Application
import Domain
import Testing

/// What every store of dead letters must do, run over memory and over PostgreSQL. Each call has a tenant of its own, so that all may run side by side.
package struct DeadLetterStoreContract: Sendable {
  package let store: any DeadLetterStore
  let keeping: any DeadLetterKeeping
  /// Claims the letter's command, as a worker that did it.
  let complete: @Sendable (DeadLetter, ClaimMark, String?) async throws -> Void
  /// Actions and message ids of the tenant's audit rows, sorted.
  let auditOf: @Sendable (TenantID) async throws -> [String]
  /// Lets time pass.
  let pass: @Sendable (Duration) async throws -> Void
  package let tenant: TenantID

  package init(
    store: any DeadLetterStore, keeping: any DeadLetterKeeping, complete: @escaping @Sendable (DeadLetter, ClaimMark, String?) async throws -> Void,
    audit: @escaping @Sendable (TenantID) async throws -> [String], pass: @escaping @Sendable (Duration) async throws -> Void
  ) {
    self.store = store
    self.keeping = keeping
    self.complete = complete
    auditOf = audit
    self.pass = pass
    tenant = TenantID("t\(UInt64.random(in: 0...UInt64.max))")!
  }

  package init(_ store: InMemoryDeadLetterStore) {
    self.init(
      store: store, keeping: store, complete: { store.complete($0, as: $1, outcome: $2) }, audit: { _ in store.audited.sorted() },
      pass: { store.advance(by: $0) })
  }

  func audited() async throws -> [String] { try await auditOf(tenant) }

  package static let start = Timestamp(microseconds: 1_700_000_000_000_000)

  package func letter(
    _ number: UInt64, reason: DeadLetterReason = .invalid, error: String = "customer_id must be a string", command: CommandType = .create,
    after seconds: Int = 0, isReplay: Bool = false
  ) -> DeadLetter {
    let at = Self.start + .seconds(seconds)
    let body = Array("{\"a\u{1F600}\":\(number)}".utf8)
    return DeadLetter(
      key: DeadLetterKey(tenant: tenant, id: UUIDValue(high: number << 32, low: 1)), messageID: "m-\(number)", type: "\(command.rawValue).v1",
      order: OrderID(high: 7, low: number), reason: reason, error: error, attempts: 1, body: body,
      bodySize: body.count,
      bodyHash: Fingerprint([UInt8](repeating: 1, count: 32)), headers: Array(#"{"mine": "kept"}"#.utf8), properties: Array(#"{"exchange": "e"}"#.utf8),
      principal: Principal(subject: "ann", roles: [.service], tenant: tenant), command: command,
      mark: ClaimMark(subject: "ann", fingerprint: Fingerprint([UInt8](repeating: 2, count: 32))),
      history: [DeadLetterEvent(at: at, what: "\(DeadLetterEvent.failure(isReplay: isReplay)) as \(reason.rawValue)", actor: "w1")],
      firstFailedAt: at, failedAt: at)
  }

  private func ingest(_ letters: [DeadLetter]) async throws {
    try await store.ingest(letters.map { DeadLetterArrival(letter: $0, isDated: true) })
  }

  private func find(_ letter: DeadLetter) async throws -> DeadLetter? {
    try await store.find(letter.key.id...letter.key.id, tenant: tenant, limit: 2).first
  }

  package func aLetterIsReadBackAsItWasWritten() async throws {
    var bare = letter(2, reason: .malformed)
    bare.messageID = nil
    bare.type = nil
    bare.order = nil
    bare.principal = nil
    bare.command = nil
    bare.mark = nil
    bare.body = [0xFF, 0x00, 0xFE]
    var expired = letter(3, reason: .unauthenticated)
    expired.isTokenExpired = true
    try await ingest([letter(1), bare, expired])
    for written in [letter(1), bare, expired] { #expect(try await find(written) == written) }
    #expect(try await audited() == ["order.create m-1", "order.create m-3", "unknown dl-\(bare.key.id)"], "each failure is in the audit log")
  }

  package func aCopyThatIsNotLaterChangesNothing() async throws {
    try await ingest([letter(1, after: 10)])
    for second in [10, 9] { try await ingest([letter(1, reason: .forbidden, error: "another", after: second)]) }
    try await store.ingest([DeadLetterArrival(letter: letter(1, reason: .forbidden, after: 99), isDated: false)])
    #expect(try await find(letter(1)) == letter(1, after: 10))
    #expect(try await audited() == ["order.create m-1"])
  }

  package func aLaterFailureIsToldInTheSameRow() async throws {
    var later = letter(1, reason: .retriesExhausted, error: "the database said no", after: 20)
    later.attempts = 4
    later.body = Array("edited".utf8)
    try await ingest([letter(1, after: 10)])
    try await ingest([later])
    let row = try #require(try await find(letter(1)))
    #expect(row.reason == .retriesExhausted && row.error == "the database said no" && row.attempts == 4 && row.failedAt == later.failedAt)
    #expect(row.firstFailedAt == Self.start + .seconds(10) && row.history.map(\.what) == ["failed as invalid", "failed as retries_exhausted"])
    #expect(row.body == letter(1).body, "the message stays as it first came")
    #expect(try await audited() == ["order.create m-1", "order.create m-1"])
  }

  package func lettersAreListedNewestFirstByPages() async throws {
    try await ingest((1...5).map { letter($0, after: Int($0) / 2) })
    let filter = DeadLetterFilter()
    var ids: [UInt64] = []
    var position: DeadLetterPosition?
    while true {
      let page = try await store.newest(filter, tenant: tenant, after: position, limit: 2)
      guard let last = page.last else { break }
      ids += page.map { $0.key.id.high >> 32 }
      position = DeadLetterPosition(failedAt: last.failedAt, id: last.key.id)
    }
    #expect(ids == [5, 4, 3, 2, 1])
    #expect(try await store.count(filter, tenant: tenant) == 5)
    #expect(try await store.newest(filter, tenant: .standard, after: nil, limit: 9).allSatisfy { $0.key.tenant == .standard })
  }

  package func filtersPickWhatTheySay() async throws {
    try await ingest([
      letter(1), letter(2, reason: .forbidden, error: "no role 7% of m-2"), letter(3, command: .updateStatus, after: 100),
      letter(4, reason: .forbidden, error: "no role 7% of m-4", command: .updateStatus),
    ])
    func found(_ filter: DeadLetterFilter) async throws -> Set<UInt64> {
      let found = try await store.newest(filter, tenant: tenant, after: nil, limit: 10)
      #expect(try await store.count(filter, tenant: tenant) == Int64(found.count))
      return Set(found.map { $0.key.id.high >> 32 })
    }
    #expect(try await found(DeadLetterFilter(reason: .forbidden)) == [2, 4])
    #expect(try await found(DeadLetterFilter(type: "order.update_status")) == [3, 4])
    #expect(try await found(DeadLetterFilter(type: "order.create.v1")) == [1, 2])
    #expect(try await found(DeadLetterFilter(since: Self.start + .seconds(100))) == [3])
    #expect(try await found(DeadLetterFilter(order: OrderID(high: 7, low: 2))) == [2])
    #expect(try await found(DeadLetterFilter(error: "role 7%")) == [2, 4])
    #expect(try await found(DeadLetterFilter(error: "m-2")) == [2])
    #expect(try await found(DeadLetterFilter(error: "no role …% of …")) == [2, 4])
    #expect(try await found(DeadLetterFilter(error: "r_le")).isEmpty)
    #expect(try await found(DeadLetterFilter(reason: .forbidden, type: "order.create")) == [2])
    #expect(try await found(DeadLetterFilter(states: [.resolved])).isEmpty)
    #expect(try await found(DeadLetterFilter(states: nil)) == [1, 2, 3, 4])
  }

  package func groupsCountWhatIsAlike() async throws {
    try await ingest([
      letter(1, error: "message_id m-1 was used before"), letter(2, error: "message_id m-22 was used before", after: 5),
      letter(3, reason: .forbidden, error: "no role", command: .updateStatus),
    ])
    let errors = try await store.groups(DeadLetterFilter(), tenant: tenant, by: .error, limit: 10)
    #expect(
      errors == [
        DeadLetterGroup(name: "message_id … was used before", count: 2, oldest: Self.start, newest: Self.start + .seconds(5)),
        DeadLetterGroup(name: "no role", count: 1, oldest: Self.start, newest: Self.start),
      ])
    #expect(try await store.groups(DeadLetterFilter(), tenant: tenant, by: .reason, limit: 1).map(\.name) == ["invalid"])
    #expect(try await store.groups(DeadLetterFilter(), tenant: tenant, by: .type, limit: 9).map(\.name) == ["order.create", "order.update_status"])
  }
}
