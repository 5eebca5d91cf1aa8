import Application
import Domain
import TestSupport

/// The one database of a simulation: transactions that hold locks, take time, and vanish with their worker.
final class SimulatedDatabase: @unchecked Sendable {  // touched by the one thread of its simulation
  enum Lock: Hashable {
    case order(OrderKey)
    case product(ProductKey)
  }

  unowned let world: SimulatedWorld
  var tables = InMemoryOrderStore.Tables()
  var locked: Set<Lock> = []
  private var waiting: [CheckedContinuation<Void, Never>] = []
  var writtenAt: [OutboxKey: Timestamp] = [:]
  var notBefore: [OutboxKey: Timestamp] = [:]
  /// Whom each payment's lease was given to, and who is calling the provider by which key.
  var holders: [UUIDValue: Life] = [:]
  var callers: [String: Life] = [:]
  var leaders: [String: (holder: String, until: Timestamp)] = [:]
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
    if world.mutation == .callsBeforeCommit { for record in writes.opened { _ = await world.provider.perform(record.call) {} } }
    await world.pause()
    if fault == .dies { life.end(isDeath: true) }
    if life.isOver {
      world.saw("died before its commit")
      throw .unavailable("gone")
    }
    tables.now = now
    if world.mutation == .hasNoOutbox { (writes.events, writes.replies) = ([], []) }
    try commit(writes, sent: sent, life)
    world.tell("\(life.name) commits \(keys.identities.map(\.message.rawValue))\(writes.events.map { " \($0.type.rawValue) \($0.key.version)" }.joined())")
    if fault == .diesAfter { life.end(isDeath: true) }
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

  private func commit(_ writes: BatchWrites, sent: [OutboxKey], _ life: Life) throws(StoreError) {
    var writes = writes
    if world.mutation == .forgetsClaims {
      writes.claims.removeAll { tables.claims[$0.identity] != nil }
      writes.settledClaims.removeAll { tables.claims[$0.identity]?.result != nil }
    }
    // Claims are not locked: the second of two that hold the same message is stopped by the unique key.
    if writes.claims.contains(where: { tables.claims[$0.identity] != nil }) || Set(writes.claims.map(\.identity)).count < writes.claims.count {
      world.saw("stopped by the unique key")
      throw .conflict("unique")
    }
    if let refusal = refusal(of: writes, life) {
      world.violated("the database was asked for what it refuses: \(refusal)")
      throw .refused(refusal)
    }
    tables.apply(writes, sent: sent)
    for identity in writes.claims.map(\.identity) + writes.settledClaims.map(\.identity) {
      world.letters.committed(identity, tables.claims[identity]!)
    }
    for key in writes.events.map(\.key) + writes.replies.map(\.key) { writtenAt[key] = now }
    for (key, level) in tables.stock where level.reserved < 0 || level.reserved > level.onHand { world.violated("\(key.product.rawValue) is oversold") }
  }

  private func refusal(of writes: BatchWrites, _ life: Life) -> String? {
    let check = CommitCheck(world: world, tables: tables, writes: writes)
    if let refusal = check.refusal { return refusal }
    check.check { record in record.lease.map { holders[$0] === life } ?? false }
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
}
