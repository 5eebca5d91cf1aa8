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
    let earlier = unanswered.withLock { known in found.batches.lazy.compactMap { known[$0] }.first }
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
    if error.isSerializationOrDeadlock || error.isUniqueViolation {
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
