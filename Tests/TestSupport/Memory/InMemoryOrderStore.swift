import Application
import Domain
import Synchronization

/// The store port in memory: one transaction at a time, faults on demand.
package final class InMemoryOrderStore: OrderStore, OrderReader, Outbox, PaymentQueue, Housekeeping {
  package struct Tables: Sendable {
    package var orders: [OrderKey: Order] = [:]
    package var payments: [OrderKey: PaymentFacts] = [:]
    package var records: [PaymentKey: PaymentRecord] = [:]
    package var replies: [OutboxKey: StoredReply] = [:]
    package var due: [PaymentKey: Timestamp] = [:]
    package var leases: [PaymentKey: Timestamp] = [:]
    package var claims: [CommandIdentity: Claim] = [:]
    package var stock: [ProductKey: StockLevel] = [:]
    package var reservations: [OrderKey: ReservationState] = [:]
    package var outbox: [OutboxKey: EncodedEvent] = [:]
    package var history: [HistoryEntry] = []
    package var audit: [AuditEntry] = []
    package var transactions = 0
    package var now = Timestamp(microseconds: 1_700_000_000_000_000)
    package var leaseHolder: String?
    package init() {}
  }

  /// What the next transactions do instead of committing; the closure sees the commands' keys.
  package typealias Fault = @Sendable (BatchKeys, _ transaction: Int) -> StoreError?

  private let tables = Mutex(Tables())
  private let fault: Mutex<Fault?>
  private let looking = Mutex<(@Sendable () -> Void)?>(nil)
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
      let (writes, decision) = decide(tables.facts(for: keys))
      tables.apply(writes, sent: sent)
      return decision
    }
  }

  /// What happens before somebody looks which events are unsent.
  package func beforeLookingForUnsent(_ next: (@Sendable () -> Void)?) { looking.withLock { $0 = next } }

  package func unsent(_ orders: [OrderKey]) async throws(StoreError) -> Set<OutboxKey> {
    looking.withLock { $0 }?()
    return tables.withLock { Set($0.outbox.keys.filter { $0.version > 0 && orders.contains($0.order) }) }
  }

  package func forget(_ sent: [OutboxKey]) async throws(StoreError) {
    await forgetting.withLock { $0 }?()
    tables.withLock { $0.forget(sent) }
  }

  /// As if another worker had sent these.
  package func drop(_ keys: [OutboxKey]) { tables.withLock { $0.forget(keys) } }

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

  package func oldest(age: Duration, limit: Int) async throws(StoreError) -> OutboxPage {
    tables.withLock { tables in
      let rows = tables.outbox.keys.sorted()
      let events = rows.filter { row in !rows.contains { $0.order == row.order && $0.version >= 1 && $0.version < row.version } }
      return OutboxPage(events: events.prefix(limit).map { tables.outbox[$0]! }, replies: Array(tables.replies.values.prefix(limit)))
    }
  }

  package func advance(by time: Duration) { tables.withLock { $0.now = $0.now + time } }

  /// Goes on to the time when the next open payment is due; not while one is due or at the provider.
  package func advanceToNextPayment() {
    tables.withLock { tables in
      let open = tables.records.values.filter { $0.state == .open }
      guard let next = open.compactMap({ tables.due[$0.key] }).min(), open.allSatisfy({ $0.lease == nil }) else { return }
      tables.now = max(tables.now, next)
    }
  }

  package func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
    tables.withLock { tables in
      tables.leasable(openFor: age).prefix(limit).map { tables.lease($0, until: tables.now + duration) }
    }
  }

  package func expirable(after lifetime: Duration, limit: Int) async throws(StoreError) -> [OrderKey] {
    tables.withLock { tables in
      let due = tables.orders.values.filter { order in
        order.status == .pending && order.createdAt + lifetime < tables.now
          && !tables.records.values.contains { $0.key.order == order.key && $0.state == .open }
      }
      return due.sorted { $0.createdAt < $1.createdAt }.prefix(limit).map(\.key)
    }
  }

  /// Its audit rows are in no chains.
  package func anchorAudit(by holder: String) async throws(StoreError) {}

  package func trimPayments(olderThan age: Duration, limit: Int) async throws(StoreError) -> Int { 0 }

  package func orders(_ keys: [OrderKey]) async throws(StoreError) -> [OrderKey: Order] {
    if let error = fault.withLock({ $0 })?(BatchKeys(reading: keys), 0) { throw error }
    return tables.withLock { $0.orders.filter { keys.contains($0.key) } }
  }

  package func history(of order: OrderKey) async throws(StoreError) -> [HistoryEntry] {
    tables.withLock { $0.history.filter { $0.order == order }.sorted { $0.version < $1.version } }
  }

  package func list(_ filter: OrderFilter, tenant: TenantID, after position: ListPosition?, limit: Int) async throws(StoreError) -> [Order] {
    tables.withLock { tables in
      let of = tables.orders.values.filter {
        $0.key.tenant == tenant && $0.customer == filter.customer && (filter.status == nil || $0.status == filter.status)
      }
      func isBefore(_ a: (Timestamp, OrderID), _ b: (Timestamp, OrderID)) -> Bool { a.0 != b.0 ? a.0 < b.0 : a.1 < b.1 }
      let sorted = of.sorted { isBefore(($1.createdAt, $1.key.order), ($0.createdAt, $0.key.order)) }
      return Array(sorted.filter { order in position.map { isBefore((order.createdAt, order.key.order), ($0.createdAt, $0.order)) } ?? true }.prefix(limit))
    }
  }

  package func postpone(_ keys: [OutboxKey]) async throws(StoreError) {}
}

extension PaymentRecord {
  package var isWatched: Bool { state == .unavailable && isUnknown && operation.kind == .authorize }
}

extension BatchKeys {
  /// Of a look that changes nothing.
  fileprivate init(reading orders: [OrderKey]) { self.init(identities: [], orders: orders, products: [], changesOrders: false, payments: []) }
}

extension InMemoryOrderStore.Tables {
  package func facts(for keys: BatchKeys) -> BatchFacts {
    BatchFacts(
      now: now, claims: claims.filter { keys.identities.contains($0.key) }, orders: orders.filter { keys.orders.contains($0.key) },
      payments: facts(of: keys.orders), records: records(for: keys),
      stock: stock.filter { keys.products.contains($0.key) || keys.changesOrders },
      unsent: Dictionary(
        grouping: outbox.keys.filter { $0.version > 0 && keys.orders.contains($0.order) && orders[$0.order] != nil }, by: \.order))
  }

  private func facts(of keys: [OrderKey]) -> [OrderKey: PaymentFacts] {
    payments.filter { keys.contains($0.key) }.merging(
      records.values.filter { $0.state == .open && keys.contains($0.key.order) }.map { record in
        let known = payments[record.key.order] ?? .none
        return (
          record.key.order,
          PaymentFacts(
            authorization: known.authorization, open: record.operation, surplus: known.surplus, count: max(known.count, record.operation.number))
        )
      }, uniquingKeysWith: { $1 })
  }

  private func records(for keys: BatchKeys) -> [PaymentKey: PaymentRecord] {
    records.filter { ($0.value.state == .open && keys.orders.contains($0.key.order)) || keys.payments.contains($0.key) }
  }

  /// What is due and in nobody's hands, in the order in which it is taken.
  package func leasable(openFor age: Duration?) -> [PaymentRecord] {
    let free = records.values.filter { record in
      (record.state == .open || (record.isWatched && age == nil)) && (due[record.key].map { $0 <= now } ?? true)
        && (record.lease == nil || leases[record.key].map { $0 < now } ?? true)
        && age.map { record.isUnknown || record.lease != nil || record.openedAt + $0 <= now } ?? true
    }
    return free.sorted { ($0.isWatched ? 1 : 0, $0.key) < ($1.isWatched ? 1 : 0, $1.key) }
  }

  package mutating func lease(_ record: PaymentRecord, until end: Timestamp) -> LeasedPayment {
    var record = record
    var random = SystemRandomNumberGenerator()
    record.isUnknown = record.isUnknown || record.lease != nil
    record.wasUnknown = record.wasUnknown || record.isUnknown
    let looksUp = record.isWatched || (record.isUnknown && leases[record.key].map { $0 < now } == true)
    record.lease = .random(using: &random)
    record.attempts += 1
    record.firstCalledAt = record.firstCalledAt ?? now
    records[record.key] = record
    leases[record.key] = end
    return LeasedPayment(
      key: record.key, call: record.call, lease: record.lease!, isRepeat: record.attempts > 1, looksUp: looksUp, isGivenUp: record.isWatched,
      trace: CommandReference(record.cause, order: record.key.order.order))
  }

  package mutating func forget(_ sent: [OutboxKey]) {
    for key in sent {
      outbox[key] = nil
      replies[key] = nil
    }
  }

  package mutating func apply(_ writes: BatchWrites, sent: [OutboxKey]) {
    for row in writes.created + writes.updated {
      orders[row.order.key] = row.order
      payments[row.order.key] = PaymentFacts(authorization: row.payments.authorization, surplus: row.payments.surplus, count: row.payments.count)
    }
    for settlement in writes.settled {
      records[settlement.key]!.state = settlement.state
      records[settlement.key]!.lease = nil
      records[settlement.key]!.isUnknown = settlement.watchedAfter != nil
      due[settlement.key] = settlement.watchedAfter.map { now + $0 }
      leases[settlement.key] = nil
    }
    for postponement in writes.postponed {
      records[postponement.key]!.isUnknown = postponement.isUnknown
      if postponement.isUnknown { records[postponement.key]!.wasUnknown = true }
      records[postponement.key]!.lease = nil
      due[postponement.key] = max(now + postponement.delay, postponement.waitsForLease ? leases[postponement.key]! + .milliseconds(1) : now)
    }
    for record in writes.opened {
      precondition(!records.values.contains { $0.key.order == record.key.order && $0.state == .open }, "two open payments: \(record.key)")
      precondition(records[record.key] == nil, "a payment's number given twice: \(record.key)")
      records[record.key] = record
    }
    for settlement in writes.settledClaims {
      let claim = claims[settlement.identity]!
      precondition(claim.result == nil, "answered twice: \(settlement.identity)")
      claims[settlement.identity] = Claim(fingerprint: claim.fingerprint, subject: claim.subject, type: claim.type, result: settlement.result)
    }
    for reply in writes.replies { replies[reply.key] = reply }
    for (key, state) in writes.inventory.made {
      precondition(reservations.updateValue(state, forKey: key) == nil, "reserved twice: \(key)")
    }
    for (key, state) in writes.inventory.moved {
      precondition(reservations.updateValue(state, forKey: key) != nil, "never reserved: \(key)")
    }
    for (key, moved) in writes.inventory.levels {
      stock[key]!.onHand += moved.onHand
      stock[key]!.reserved += moved.reserved
      precondition(0 <= stock[key]!.reserved && stock[key]!.reserved <= stock[key]!.onHand, "oversold: \(key)")
    }
    forget(sent)
    for event in writes.events { outbox[event.key] = event }
    for entry in writes.claims {
      precondition(claims[entry.identity] == nil, "claimed twice: \(entry.identity)")
      claims[entry.identity] = entry.claim
    }
    history += writes.history
    audit += writes.audit
  }
}
