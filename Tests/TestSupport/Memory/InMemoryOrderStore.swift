import Application
import Domain
import Synchronization

/// The store port in memory: one transaction at a time, faults on demand.
package final class InMemoryOrderStore: OrderStore, Outbox {
  package struct Tables: Sendable {
    package var orders: [OrderKey: Order] = [:]
    package var claims: [CommandIdentity: Claim] = [:]
    package var stock: [ProductKey: StockLevel] = [:]
    package var outbox: [OutboxKey: EncodedEvent] = [:]
    package var history: [HistoryEntry] = []
    package var audit: [AuditEntry] = []
    package var transactions = 0
    package var now = Timestamp(microseconds: 1_700_000_000_000_000)
    package var leaseHolder: String?
  }

  /// What the next transactions do instead of committing; the closure sees the commands' keys.
  package typealias Fault = @Sendable (BatchKeys, _ transaction: Int) -> StoreError?

  private let tables = Mutex(Tables())
  private let fault: Mutex<Fault?>
  private let forgetting = Mutex<(@Sendable () async -> Void)?>(nil)

  package init(stock: [ProductKey: Int64] = [:], fault: Fault? = nil) {
    self.fault = Mutex(fault)
    tables.withLock { $0.stock = stock.mapValues { StockLevel(onHand: $0, reserved: 0) } }
  }

  package var snapshot: Tables { tables.withLock { $0 } }

  package func set(_ product: ProductKey, onHand: Int64) { tables.withLock { $0.stock[product] = StockLevel(onHand: onHand, reserved: 0) } }

  package func setFault(_ next: Fault?) { fault.withLock { $0 = next } }

  /// What happens before rows leave the outbox outside a transaction.
  package func beforeForgetting(_ next: (@Sendable () async -> Void)?) { forgetting.withLock { $0 = next } }

  package func transact<Decision: Sendable>(
    _ keys: BatchKeys, sent: [OutboxKey], decide: @escaping @Sendable (BatchFacts) -> (BatchWrites, Decision)
  ) async throws(StoreError) -> Decision {
    let number = tables.withLock { tables in
      tables.transactions += 1
      return tables.transactions
    }
    if let error = fault.withLock({ $0 })?(keys, number) { throw error }
    return tables.withLock { tables in
      let facts = BatchFacts(
        now: tables.now, claims: tables.claims.filter { keys.identities.contains($0.key) }, orders: tables.orders.filter { keys.orders.contains($0.key) },
        stock: tables.stock.filter { keys.products.contains($0.key) || keys.movesStockOfOrders },
        unsent: Dictionary(grouping: tables.outbox.keys.filter { keys.orders.contains($0.order) && tables.orders[$0.order] != nil }, by: \.order))
      let (writes, decision) = decide(facts)
      tables.apply(writes, sent: sent)
      return decision
    }
  }

  package func forget(_ sent: [OutboxKey]) async throws(StoreError) {
    await forgetting.withLock { $0 }?()
    tables.withLock { tables in for key in sent { tables.outbox[key] = nil } }
  }

  package func untilAvailable() async { await Task.yield() }

  package func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool {
    tables.withLock { tables in
      if tables.leaseHolder == nil { tables.leaseHolder = holder }
      return tables.leaseHolder == holder
    }
  }

  package func release(holder: String) async throws(StoreError) {
    tables.withLock { if $0.leaseHolder == holder { $0.leaseHolder = nil } }
  }

  package func oldest(age: Duration, limit: Int) async throws(StoreError) -> [EncodedEvent] {
    tables.withLock { tables in
      let rows = tables.outbox.keys.sorted()
      return rows.filter { row in !rows.contains { $0.order == row.order && $0.version >= 1 && $0.version < row.version } }.prefix(limit)
        .map { tables.outbox[$0]! }
    }
  }

  package func postpone(_ keys: [OutboxKey]) async throws(StoreError) {}
}

extension InMemoryOrderStore.Tables {
  mutating func apply(_ writes: BatchWrites, sent: [OutboxKey]) {
    for order in writes.created + writes.updated { orders[order.key] = order }
    for (key, moved) in writes.stock {
      stock[key]!.onHand += moved.onHand
      stock[key]!.reserved += moved.reserved
      precondition(0 <= stock[key]!.reserved && stock[key]!.reserved <= stock[key]!.onHand, "oversold: \(key)")
    }
    for key in sent { outbox[key] = nil }
    for event in writes.events { outbox[event.key] = event }
    for entry in writes.claims {
      precondition(claims[entry.identity] == nil, "claimed twice: \(entry.identity)")
      claims[entry.identity] = entry.claim
    }
    history += writes.history
    audit += writes.audit
  }
}
