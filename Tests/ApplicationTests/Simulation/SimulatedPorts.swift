import Application
import Domain
import TestSupport

/// The database as one life of a worker sees it.
struct LifeStore: OrderStore, PaymentQueue {
  let world: SimulatedWorld
  let life: Life

  func transact<Decision: Sendable>(
    _ keys: BatchKeys, sent: [OutboxKey], decide: @escaping @Sendable (BatchFacts) -> (BatchWrites, Decision)
  ) async throws(StoreError) -> Decision {
    try await world.database.transact(life, keys, sent: sent, decide: decide)
  }

  func unsent(_ orders: [OrderKey]) async throws(StoreError) -> Set<OutboxKey> {
    try await world.database.look(life) { tables in Set(tables.outbox.keys.filter { $0.version > 0 && orders.contains($0.order) }) }
  }

  func forget(_ sent: [OutboxKey]) async throws(StoreError) { try await world.database.look(life) { $0.forget(sent) } }

  func untilAvailable() async { try? await world.clock.sleep(for: .milliseconds(20)) }

  func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
    try await world.database.lease(life, limit: limit, for: duration, openFor: age)
  }
}

/// The outbox as the relay of one life sees it.
struct LifeOutbox: Outbox {
  let world: SimulatedWorld
  let life: Life

  func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool { try await world.database.lead("outbox", life, for: duration) }
  func release(holder: String) async throws(StoreError) { try await world.database.release("outbox", life) }
  func oldest(age: Duration, limit: Int) async throws(StoreError) -> OutboxPage { try await world.database.due(life, age: age, limit: limit) }
  func postpone(_ keys: [OutboxKey]) async throws(StoreError) { try await world.database.postpone(life, keys) }
  func forget(_ sent: [OutboxKey]) async throws(StoreError) { try await world.database.look(life) { $0.forget(sent) } }
}

/// What is due, as the housekeeper of one life sees it.
struct LifeHousekeeping: Housekeeping {
  func anchorAudit(by holder: String) async throws(StoreError) {}
  let world: SimulatedWorld
  let life: Life

  func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool { try await world.database.lead("housekeeping", life, for: duration) }
  func release(holder: String) async throws(StoreError) { try await world.database.release("housekeeping", life) }
  func trimPayments(olderThan age: Duration, limit: Int) async throws(StoreError) -> Int { 0 }

  func expirable(after lifetime: Duration, limit: Int) async throws(StoreError) -> [OrderKey] {
    try await world.database.look(life) { tables in
      let due = tables.orders.values.filter { order in
        order.status == .pending && order.createdAt + lifetime < tables.now
          && !tables.records.values.contains { $0.key.order == order.key && $0.state == .open }
      }
      return due.map(\.key).sorted()
    }
  }
}

/// The broker and the cache as one life of a worker sees them.
struct LifeMessaging: EventPublisher, MessageForwarder, ReplySender, SnapshotCache {
  let world: SimulatedWorld
  let life: Life

  func publish(_ events: [EncodedEvent]) async -> [Bool] {
    await deliver(events, by: .events) { world.broker.publish($0) }
  }

  func forward(_ messages: [Message]) async -> [ForwardOutcome] {
    let safe = await deliver(messages, by: .forward) { message in
      world.letters.replays(message, by: life)
      world.broker.forward(message)
    }
    return safe.map { $0 || world.mutation == .trustsForwarding ? .safe : .notTaken("not confirmed") }
  }

  /// For each whether it is known to have arrived.
  private func deliver<Item>(_ items: [Item], by port: Fault.Port, _ take: (Item) -> Void) async -> [Bool] {
    await world.pause()
    var known: [Bool] = []
    for item in items {
      // A worker may die with half of it sent.
      if life.isOver { return items.map { _ in false } }
      let fault = world.fault(port)
      if fault == .dies { life.end(isDeath: true) }
      if fault == .drains { life.end(isDeath: false) }
      if fault != .nack, fault != .drains, !life.isOver { take(item) }
      if fault == .diesAfter { life.end(isDeath: true) }
      known.append(fault == nil)
      if Int.random(in: 0..<8, using: &world.executor.random) == 0 { await Task.yield() }
    }
    await world.pause()
    return life.isOver ? items.map { _ in false } : known
  }

  func send(_ replies: [Reply]) async {
    await world.pause()
    if !life.isOver { for reply in replies { world.broker.send(reply) } }
  }

  func store(_ snapshots: [Snapshot]) async {
    await world.pause()
    for snapshot in snapshots where !life.isOver && world.fault(.cache) == nil { world.broker.cache(snapshot) }
  }

  func load(_ keys: [OrderKey]) async -> [OrderKey: Snapshot] { [:] }
  func remove(_ keys: [OrderKey]) async { await world.pause() }
}

/// The provider as one life of a worker sees it: what it has sent takes effect whether it lives or not.
struct LifeProvider: PaymentProvider {
  let world: SimulatedWorld
  let life: Life

  /// With its deadline and its breaker, as the program has it.
  func guarded(_ jitter: @escaping @Sendable () -> Double) -> GuardedPaymentProvider {
    let start = ContinuousClock.now
    var limits = AdapterGuard.Limits(deadline: SimulatedProvider.deadline, concurrency: 8)
    limits.breaker.jitter = jitter
    let adapterGuard = AdapterGuard(
      adapter: "payment", limits: limits, observer: Unobserved(),
      now: { [world] in start + world.executor.now }, clock: world.clock)
    return GuardedPaymentProvider(self, guard: adapterGuard) { $0.target }
  }

  func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
    if life.isOver { return .unknown(reason: "gone") }
    world.database.begins(call, life)
    defer { world.database.ended(call, life) }
    return await world.provider.perform(call) { life.end(isDeath: true) }
  }

  func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer {
    life.isOver ? .unknown(reason: "gone") : await world.provider.lookUp(call)
  }

  private struct Unobserved: AdapterObserver {
    func called(adapter: String, operation: String, outcome: String, took: Duration) {}
    func breakerChanged(adapter: String, to state: BreakerState, reason: String?) {}
  }
}

/// The notes on messages that may have killed workers.
final class SimulatedTrials: @unchecked Sendable {  // touched by the one thread of its simulation
  private unowned let world: SimulatedWorld
  fileprivate var notes: [TrialKey: Set<UUIDValue>] = [:]
  init(world: SimulatedWorld) { self.world = world }
}

struct LifeTrials: TrialNotes {
  let world: SimulatedWorld
  let life: Life

  func begin(_ key: TrialKey, life name: UUIDValue) async throws(StoreError) -> Int {
    try await world.database.look(life) { _ in
      world.trials.notes[key, default: []].insert(name)
      return world.trials.notes[key]!.count - 1
    }
  }

  func end(_ key: TrialKey, life name: UUIDValue) async throws(StoreError) {
    _ = try await world.database.look(life) { _ in world.trials.notes[key]?.remove(name) }
  }
}
