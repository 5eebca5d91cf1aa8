import Application
import ClientRuntime
import Domain
import PostgresClient
import Synchronization

/// Orders, stock, claims and the outbox in PostgreSQL: one transaction for each batch, over one connection.
package final class PostgresOrderStore: OrderStore {
  private let client: PostgresClient
  private let deadline: Duration
  private let chain: Mutex<AuditChain>

  /// `deadline` bounds a whole transaction; past it the connection is thrown away.
  package init(client: PostgresClient, deadline: Duration = .seconds(30)) {
    self.client = client
    self.deadline = deadline
    chain = Mutex(AuditChain(id: .fresh()))
  }

  package func transact<Decision: Sendable>(
    _ keys: BatchKeys, sent: [OutboxKey], decide: @escaping @Sendable (BatchFacts) -> (BatchWrites, Decision)
  ) async throws(StoreError) -> Decision {
    // Runs whose COMMIT was sent and never answered, by the batch id that their claims carry where they were committed after all.
    let unanswered = Mutex<[UUIDValue: Decision]>([:])
    while true {
      let isUnknown = unanswered.withLock { !$0.isEmpty }
      do {
        return try await client.run(deadline: .after(deadline)) { session throws(PostgresError) in
          try self.transact(session, keys, sent, decide, unanswered)
        }
      } catch {
        let nowUnknown = unanswered.withLock { !$0.isEmpty }
        guard isUnknown || nowUnknown else { throw StoreError(error) }
        // Until it is known whether the batch was committed nothing else may be said of it.
        if Task.isCancelled { throw .unavailable(error.description) }
        await untilAvailable()
      }
    }
  }

  private func transact<Decision: Sendable>(
    _ session: PostgresSession, _ keys: BatchKeys, _ sent: [OutboxKey], _ decide: (BatchFacts) -> (BatchWrites, Decision),
    _ unanswered: borrowing Mutex<[UUIDValue: Decision]>
  ) throws(PostgresError) -> Decision {
    let found = try BatchReader.read(session, keys)
    let runs = unanswered.withLock { $0 }
    let earlier = found.batches.lazy.compactMap { runs[$0] }.first
    if let earlier {
      try session.execute("ROLLBACK")
      return earlier
    }
    let (writes, decision) = decide(found.facts)
    let batch = UUIDValue.fresh()
    let chain = chain.withLock { $0 }
    let (extended, links) = chain.extended(by: writes.audit)
    let writer = BatchWriter(writes: writes, sent: sent, batch: batch, now: found.facts.now, chain: chain)
    do {
      _ = try session.pipeline { writer.add(to: &$0, audit: links) }
    } catch {
      if error.outcomeIsUnknown {
        unanswered.withLock { $0[batch] = decision }
        self.chain.withLock { $0 = AuditChain(id: .fresh()) }
      }
      throw error
    }
    self.chain.withLock { $0 = extended }
    return decision
  }

  package func forget(_ sent: [OutboxKey]) async throws(StoreError) {
    do {
      try await client.run(deadline: .after(deadline)) { session throws(PostgresError) in
        _ = try session.query(BatchStatements.deleteOutbox, BatchWriter.outboxColumns(sent.sorted()))
      }
    } catch {
      throw StoreError(error)
    }
  }

  package func untilAvailable() async {
    _ = await client.waitUntilConnected(deadline: .after(.seconds(5)))
  }
}

extension StoreError {
  init(_ error: PostgresError) {
    if error.isSerializationOrDeadlock || error.isUniqueViolation || error.sqlState == "57014" {
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
  /// The server refuses values or a rule of the database does: some command of the batch is at fault.
  var isAboutTheData: Bool {
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
