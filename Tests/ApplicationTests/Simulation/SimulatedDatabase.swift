import Application
import Domain
import TestSupport

/// The one database of a simulation: transactions that hold locks, take time, and vanish with their worker.
final class SimulatedDatabase: @unchecked Sendable {  // touched by the one thread of its simulation
  private enum Lock: Hashable {
    case order(OrderKey)
    case product(ProductKey)
  }

  private struct VersionKey: Hashable {
    let order: OrderKey
    let version: Int64
  }

  private unowned let world: SimulatedWorld
  private(set) var tables = InMemoryOrderStore.Tables()
  private var locked: Set<Lock> = []
  private var waiting: [CheckedContinuation<Void, Never>] = []
  private var writtenAt: [OutboxKey: Timestamp] = [:]
  private var notBefore: [OutboxKey: Timestamp] = [:]
  private var leaders: [String: (holder: String, until: Timestamp)] = [:]
  private let start: Timestamp

  init(world: SimulatedWorld) {
    self.world = world
    start = tables.now
    for (name, count) in world.plan.stock { tables.stock[Self.product(name)] = StockLevel(onHand: count, reserved: 0) }
  }

  static func product(_ name: String) -> ProductKey { ProductKey(tenant: .standard, product: ProductID(name)!) }

  var isAtRest: Bool {
    tables.outbox.isEmpty && tables.replies.isEmpty && !tables.records.values.contains { $0.state == .open }
      && !tables.orders.values.contains { $0.status == .pending }
  }

  var now: Timestamp { start + world.executor.now }

  // MARK: transactions

  func transact<Decision: Sendable>(
    _ life: Life, _ keys: BatchKeys, sent: [OutboxKey], decide: (BatchFacts) -> (BatchWrites, Decision)
  ) async throws(StoreError) -> Decision {
    await world.pause()
    let fault = world.fault(.transaction)
    if life.isOver || fault == .unavailable { throw .unavailable("away") }
    if fault == .conflict { throw .conflict("another was in the way") }
    if fault == .blocked { throw .blocked("another would not let go") }
    if fault == .refused || world.refuses(keys.identities) { throw .refused("no") }
    let locks = await lock(keys, life)
    defer { unlock(locks) }
    if life.isOver { throw .unavailable("gone") }
    tables.now = now
    let facts = facts(for: keys)
    await world.pause()
    var (writes, decision) = decide(facts)
    if world.mutation == .callsBeforeCommit { for record in writes.opened { _ = await world.provider.perform(record.call) } }
    await world.pause()
    if life.isOver {
      world.saw("died before its commit")
      throw .unavailable("gone")
    }
    tables.now = now
    if world.mutation == .hasNoOutbox { (writes.events, writes.replies) = ([], []) }
    try commit(writes, sent: sent)
    world.tell("\(life.name) commits \(keys.identities.map(\.message.rawValue))\(writes.events.map { " \($0.type.rawValue) \($0.key.version)" }.joined())")
    await world.pause(isSlow: fault == .slow)
    if life.isOver { world.saw("died after its commit") }
    if life.isOver || fault == .answerLost { throw .unavailable("the answer was lost") }
    return decision
  }

  private func facts(for keys: BatchKeys) -> BatchFacts {
    var facts = tables.facts(for: keys)
    if world.mutation == .forgetsClaims { facts.claims = [:] }
    if world.mutation == .overtakesOlderEvents { facts.unsent = [:] }
    return facts
  }

  private func commit(_ writes: BatchWrites, sent: [OutboxKey]) throws(StoreError) {
    var writes = writes
    if world.mutation == .forgetsClaims {
      writes.claims.removeAll { tables.claims[$0.identity] != nil }
      writes.settledClaims.removeAll { tables.claims[$0.identity]?.result != nil }
    }
    // Claims are not locked: the second of two that hold the same message is stopped by the unique key.
    if writes.claims.contains(where: { tables.claims[$0.identity] != nil }) {
      world.saw("stopped by the unique key")
      throw .conflict("unique")
    }
    if let fault = fault(of: writes) {
      world.violated("the database was asked for what it refuses: \(fault)")
      throw .refused(fault)
    }
    tables.apply(writes, sent: sent)
    for key in writes.events.map(\.key) + writes.replies.map(\.key) { writtenAt[key] = now }
    for (key, level) in tables.stock where level.reserved < 0 || level.reserved > level.onHand { world.violated("\(key.product.rawValue) is oversold") }
  }

  /// What the database's keys and checks would refuse, and the tables in memory take for a defect of their caller.
  private func fault(of writes: BatchWrites) -> String? {
    for row in writes.created where tables.orders[row.order.key] != nil { return "an order made twice" }
    for row in writes.updated where tables.orders[row.order.key]!.version > row.order.version { return "an order set back" }
    for settled in writes.settledClaims where tables.claims[settled.identity].map({ $0.result != nil }) ?? true { return "a claim settled twice" }
    for record in writes.opened {
      if tables.records[record.key] != nil { return "a payment's number given twice" }
      let settled = Set(writes.settled.map(\.key))
      if tables.records.values.contains(where: { $0.key.order == record.key.order && $0.state == .open && !settled.contains($0.key) }) {
        return "two open payments"
      }
    }
    for key in writes.inventory.made.keys where tables.reservations[key] != nil { return "a reservation made twice" }
    for key in writes.inventory.moved.keys where tables.reservations[key] == nil { return "a reservation that is not there" }
    for (key, moved) in writes.inventory.levels {
      let (onHand, reserved) = (tables.stock[key]!.onHand + moved.onHand, tables.stock[key]!.reserved + moved.reserved)
      if reserved < 0 || reserved > onHand { return "\(key.product.rawValue) oversold" }
    }
    let versions = Set(tables.history.map { VersionKey(order: $0.order, version: $0.version) })
    for entry in writes.history where versions.contains(VersionKey(order: entry.order, version: entry.version)) { return "a version made twice" }
    return nil
  }

  private func lock(_ keys: BatchKeys, _ life: Life) async -> Set<Lock> {
    if world.mutation == .hasNoLocks { return [] }
    let products = keys.changesOrders ? Array(tables.stock.keys) : keys.products
    let wanted = Set(keys.orders.map { Lock.order($0) } + products.map { Lock.product($0) })
    while !locked.isDisjoint(with: wanted) {
      world.saw("waited for a lock")
      if life.isOver { return [] }
      await withCheckedContinuation { waiting.append($0) }
    }
    locked.formUnion(wanted)
    return wanted
  }

  private func unlock(_ locks: Set<Lock>) {
    locked.subtract(locks)
    wakeAll()
  }

  /// Whoever waits for a lock looks again: one was given back, or somebody died.
  func wakeAll() {
    let waiting = waiting
    self.waiting = []
    for waiter in waiting { waiter.resume() }
  }

  // MARK: looks

  /// A statement outside of the transactions.
  func look<Answer>(_ life: Life, _ body: (inout InMemoryOrderStore.Tables) -> Answer) async throws(StoreError) -> Answer {
    await world.pause()
    let fault = world.fault(.look)
    if life.isOver || fault == .unavailable { throw .unavailable("away") }
    tables.now = now
    let answer = body(&tables)
    await world.pause(isSlow: fault == .slow)
    if life.isOver || fault == .answerLost { throw .unavailable("the answer was lost") }
    return answer
  }

  func lease(_ life: Life, limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
    let leased = try await look(life) { tables in
      let now = tables.now
      let open = tables.records.values.filter { record in
        record.state == .open && !locked.contains(.order(record.key.order)) && (tables.due[record.key].map { $0 <= now } ?? true)
          && (record.lease == nil || tables.leases[record.key].map { $0 < now } ?? true)
          && age.map { record.isUnknown || record.lease != nil || record.openedAt + $0 <= now } ?? true
      }
      return open.sorted { $0.key < $1.key }.prefix(limit).map { tables.lease($0, until: now + duration) }
    }
    guard world.mutation == .changesKeys else { return leased }
    return leased.map { payment in
      let call = PaymentCall(key: "\(payment.call.key)#\(world.executor.steps)", target: payment.call.target, body: payment.call.body)
      return LeasedPayment(key: payment.key, call: call, lease: payment.lease, isRepeat: false, trace: payment.trace)
    }
  }

  func due(_ life: Life, age: Duration, limit: Int) async throws(StoreError) -> OutboxPage {
    try await look(life) { tables in
      let now = tables.now
      func isDue(_ key: OutboxKey) -> Bool { writtenAt[key]! + age < now && notBefore[key].map { $0 <= now } ?? true }
      let all = tables.outbox.keys
      let rows = all.filter { row in
        isDue(row) && (world.mutation == .overtakesOlderEvents || !all.contains { $0.order == row.order && 1..<max(1, row.version) ~= $0.version })
      }
      let replies = tables.replies.keys.filter(isDue)
      if !rows.isEmpty { world.saw("relayed an event") }
      if !replies.isEmpty { world.saw("relayed a reply") }
      return OutboxPage(events: rows.sorted().prefix(limit).map { tables.outbox[$0]! }, replies: replies.sorted().prefix(limit).map { tables.replies[$0]! })
    }
  }

  func postpone(_ life: Life, _ keys: [OutboxKey]) async throws(StoreError) {
    _ = try await look(life) { _ in for key in keys { notBefore[key] = now + .seconds(1) } }
  }

  func lead(_ name: String, _ life: Life, for duration: Duration) async throws(StoreError) -> Bool {
    try await look(life) { _ in
      if let leader = leaders[name], leader.holder != life.name, leader.until > now { return false }
      leaders[name] = (life.name, now + duration)
      return true
    }
  }

  func release(_ name: String, _ life: Life) async throws(StoreError) {
    _ = try await look(life) { _ in if leaders[name]?.holder == life.name { leaders[name] = nil } }
  }

  func loseLeases() { leaders = [:] }
}
