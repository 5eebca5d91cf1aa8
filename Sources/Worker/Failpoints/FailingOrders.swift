import Application
import Domain
import PostgresAdapter
import PostgresClient

/// The store, with failpoints around its commit.
struct PostgresOrderStore: OrderStore {
  private let next: PostgresAdapter.PostgresOrderStore

  init(client: PostgresClient) { next = .init(client: client) }

  func transact<Decision: Sendable>(
    _ keys: BatchKeys, sent: [OutboxKey], decide: @escaping @Sendable (BatchFacts) -> (BatchWrites, Decision)
  ) async throws(StoreError) -> Decision {
    let decision = try await next.transact(keys, sent: sent) { facts in
      let decided = decide(facts)
      // Under the transaction's locks.
      Failpoint.beforeCommit.reach()
      return decided
    }
    Failpoint.afterCommit.reach()
    return decision
  }

  func unsent(_ orders: [OrderKey]) async throws(StoreError) -> Set<OutboxKey> { try await next.unsent(orders) }

  func forget(_ sent: [OutboxKey]) async throws(StoreError) {
    Failpoint.beforeForget.reach()
    try await next.forget(sent)
  }

  func untilAvailable() async { await next.untilAvailable() }
}

/// The outbox of the relay, with failpoints before and after it sends what it found.
struct PostgresOutbox: Outbox {
  private let next: PostgresAdapter.PostgresOutbox

  init(client: PostgresClient) { next = .init(client: client) }

  func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool { try await next.lease(holder: holder, for: duration) }
  func release(holder: String) async throws(StoreError) { try await next.release(holder: holder) }

  func oldest(age: Duration, limit: Int) async throws(StoreError) -> OutboxPage {
    let page = try await next.oldest(age: age, limit: limit)
    if !page.isEmpty { Failpoint.beforeRelay.reach() }
    return page
  }

  func postpone(_ keys: [OutboxKey]) async throws(StoreError) { try await next.postpone(keys) }

  func forget(_ sent: [OutboxKey]) async throws(StoreError) {
    Failpoint.afterRelay.reach()
    try await next.forget(sent)
  }
}
