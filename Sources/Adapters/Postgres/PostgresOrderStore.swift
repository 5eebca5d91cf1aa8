import Application
import ClientRuntime
import Domain
import Pacing
import PostgresClient
import Synchronization

/// Orders, stock, claims and the outbox in PostgreSQL: one transaction for each batch, over one connection.
package final class PostgresOrderStore: OrderStore {
  private let client: PostgresClient
  private let deadline: Duration
  private let chain: Mutex<AuditChain>

  /// `deadline` bounds a whole transaction; past it the connection is thrown away.
  package init(client: PostgresClient, deadline: Duration = .seconds(20)) {
    self.client = client
    self.deadline = deadline
    chain = Mutex(AuditChain(id: .fresh()))
  }

  package func transact<Decision: Sendable>(
    _ keys: BatchKeys, sent: [OutboxKey], decide: @escaping @Sendable (BatchFacts) -> (BatchWrites, Decision)
  ) async throws(StoreError) -> Decision {
    let unanswered = Mutex<[UUIDValue: UnansweredCommit<Decision>]>([:])
    var backoff = Backoff(first: .milliseconds(10), limit: .seconds(1))
    while true {
      let failure: PostgresError
      if await isConnected() {
        do {
          return try await client.run(deadline: .after(deadline)) { session throws(PostgresError) in
            try self.transact(session, keys, sent, decide, unanswered)
          }
        } catch {
          failure = error
        }
      } else {
        failure = .unavailable("not connected to PostgreSQL")
      }
      if unanswered.withLock(\.isEmpty) { throw StoreError(failure) }
      // Until it is known whether the batch was committed nothing else may be said of it.
      if Task.isCancelled { throw .unavailable(failure.description) }
      await untilAvailable()
      try? await Task.sleep(for: backoff.next())
    }
  }

  /// A connection that is just being made is waited for; one that is away is not, so that an end is not held up.
  private func isConnected() async -> Bool {
    if client.state.isConnected { return true }
    return await client.waitUntilConnected(deadline: .after(.seconds(2)))
  }

  /// A run whose COMMIT was sent and never answered.
  private struct UnansweredCommit<Decision: Sendable>: Sendable {
    let decision: Decision
    let transaction: Int64
  }

  private func transact<Decision: Sendable>(
    _ session: PostgresSession, _ keys: BatchKeys, _ sent: [OutboxKey], _ decide: (BatchFacts) -> (BatchWrites, Decision),
    _ unanswered: borrowing Mutex<[UUIDValue: UnansweredCommit<Decision>]>
  ) throws(PostgresError) -> Decision {
    let earlier = unanswered.withLock { $0 }
    for (_, commit) in earlier { try waitForEnd(of: commit.transaction, session) }
    let found = try BatchReader.read(session, keys, tenants: keys.tenants.union(sent.lazy.map(\.order.tenant)))
    if let committed = found.batches.lazy.compactMap({ earlier[$0] }).first {
      try session.execute("ROLLBACK")
      try commitAfter(session)
      return committed.decision
    }
    // They have ended, and their claims are not there: nothing of them was committed.
    unanswered.withLock { $0 = [:] }
    let (writes, decision) = decide(found.facts)
    let batch = UUIDValue.fresh()
    let chain = chain.withLock { $0 }
    let (extended, links) = chain.extended(by: writes.audit)
    let writer = BatchWriter(writes: writes, sent: sent, batch: batch, now: found.facts.now, chain: extended)
    var isCommitted = false
    do {
      _ = try session.pipeline { writer.add(to: &$0, audit: links) }
      isCommitted = true
      if session.commitWasNotReplicated { try commitAfter(session) }
    } catch {
      // Committed here and not replicated is no more than unknown.
      if isCommitted || error.outcomeIsUnknown {
        unanswered.withLock { $0[batch] = UnansweredCommit(decision: decision, transaction: found.transaction) }
        self.chain.withLock { $0 = AuditChain(id: .fresh()) }
      }
      throw error
    }
    self.chain.withLock { $0 = extended }
    return decision
  }

  /// A transaction whose connection is lost may still be at work on the server. Only once it has ended do the claims tell whether it was
  /// committed: its own status does not, since after a failover the number may be another's.
  private func waitForEnd(of transaction: Int64, _ session: PostgresSession) throws(PostgresError) {
    do throws(PostgresError) {
      let status = try session.query(BatchStatements.transactionStatus, [.int64(transaction)])
      if !status.isNull(0, 0), status.text(0, 0) == "in progress" { throw PostgresError.unavailable("the earlier transaction has not ended yet") }
    } catch {
      // A number that the server has not given out yet: another server than before.
      guard error.sqlState == "22023" else { throw error }
    }
  }

  /// Returns when a later commit is replicated, which means that those before it are.
  private func commitAfter(_ session: PostgresSession) throws(PostgresError) {
    repeat { _ = try session.query(BatchStatements.commitAfter) } while session.commitWasNotReplicated
  }

  package func unsent(_ orders: [OrderKey]) async throws(StoreError) -> Set<OutboxKey> {
    try await client.runIfConnected(within: .seconds(5)) { session throws(PostgresError) in
      Set(try BatchReader.outboxKeys(session.query(BatchStatements.unsent, BatchReader.orderColumns(orders), of: Set(orders.map(\.tenant)))))
    }
  }

  package func forget(_ sent: [OutboxKey]) async throws(StoreError) {
    try await client.runIfConnected(within: .seconds(5)) { session throws(PostgresError) in
      _ = try session.query(BatchStatements.deleteOutbox, BatchWriter.outboxColumns(sent.sorted()), of: Set(sent.map(\.order.tenant)))
    }
  }

  package func untilAvailable() async {
    _ = await client.waitUntilConnected(deadline: .after(.seconds(5)))
  }
}

extension StoreError {
  init(_ error: PostgresError) {
    if error.isTimeOfStatementOrLock {
      self = .blocked(error.description)
    } else if error.isSerializationOrDeadlock || error.isUniqueViolation {
      self = .conflict(error.description)
    } else if error.isAboutTheData {
      self = .refused(error.description)
    } else {
      self = .unavailable(error.description)
    }
  }
}

extension UUIDValue {
  static func fresh() -> UUIDValue {
    var random = SystemRandomNumberGenerator()
    return .random(using: &random)
  }
}

extension PostgresError {
  /// `lock_timeout` or `statement_timeout` ended it.
  var isTimeOfStatementOrLock: Bool { sqlState == "55P03" || sqlState == "57014" }

  /// The server refuses values or a rule of the database does: some command of the batch is at fault.
  var isAboutTheData: Bool {
    // A row that this program cannot read, say of a newer version's making, must stop its own command only.
    if case .misuse = self { return true }
    guard let state = sqlState else { return false }
    return state.hasPrefix("22") || state.hasPrefix("23") || state.hasPrefix("54") || state.hasPrefix("P0")
  }

  /// A row of ours that this program cannot read.
  static func unreadable(_ table: String) -> PostgresError { .misuse("a row of \(table) is not of this program's making") }
}

extension UUIDArray {
  mutating func append(_ value: UUIDValue?) { if let value { append(high: value.high, low: value.low) } else { appendNull() } }
}

extension ResultSet {
  func uuidValue(_ row: Int, _ column: Int) -> UUIDValue {
    let (high, low) = uuid(row, column)
    return UUIDValue(high: high, low: low)
  }
}
