import Application
import Domain
import TestSupport

/// What is asked of the database outside of the transactions.
extension SimulatedDatabase {
  /// A statement outside of the transactions.
  func look<Answer>(_ life: Life, _ body: (inout InMemoryOrderStore.Tables) -> Answer) async throws(StoreError) -> Answer {
    let fault = try await begin(life)
    tables.now = now
    let answer = body(&tables)
    try await end(life, fault)
    return answer
  }

  /// What goes before a statement; returns what becomes of its answer.
  func begin(_ life: Life) async throws(StoreError) -> Fault.Effect? {
    await world.pause()
    let fault = world.fault(.look)
    if life.isOver || fault == .unavailable { throw .unavailable("away") }
    return fault
  }

  func end(_ life: Life, _ fault: Fault.Effect?) async throws(StoreError) {
    await world.pause(isSlow: fault == .slow)
    if life.isOver || fault == .answerLost { throw .unavailable("the answer was lost") }
  }

  func lease(_ life: Life, limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
    let leased = try await look(life) { tables in
      let free = tables.leasable(openFor: age).filter { !locked.contains(.order($0.key.order)) }
      return free.prefix(limit).map { record in
        let kept = tables
        let leased = tables.lease(record, until: tables.now + duration)
        if world.mutation == .callsWithoutLease { tables = kept }
        holders[leased.lease] = life
        if leased.isGivenUp { world.saw("watched") }
        return leased
      }
    }
    guard world.mutation == .changesKeys else { return leased }
    return leased.map { payment in
      let call = PaymentCall(key: "\(payment.call.key)#\(world.executor.steps)", target: payment.call.target, body: payment.call.body)
      return LeasedPayment(key: payment.key, call: call, lease: payment.lease, isRepeat: false, trace: payment.trace)
    }
  }

  /// A call goes to the provider only under a lease that outlasts it, so that no other goes beside it.
  func begins(_ call: PaymentCall, _ life: Life) {
    if let other = callers[call.key], !other.isOver { world.violated("two call the provider by one key at once") }
    callers[call.key] = life
    guard world.mutation != .changesKeys, let record = tables.records.values.first(where: { $0.call == call }) else { return }
    if record.state != .open { world.violated("what is settled was called again") }
    let isHeld = record.lease.map { holders[$0] === life } ?? false
    if !isHeld || tables.leases[record.key]! < now + SimulatedProvider.deadline { world.violated("the provider was called without a lease that outlasts it") }
  }

  func ended(_ call: PaymentCall, _ life: Life) {
    if callers[call.key] === life { callers[call.key] = nil }
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
