import Application
import Domain
import TestSupport

/// The table of dead letters as one life of a worker, or an operator, sees it.
struct LifeLetters: DeadLetterStore, DeadLetterKeeping {
  let world: SimulatedWorld
  let life: Life
  private var letters: SimulatedLetters { world.letters }
  private var store: InMemoryDeadLetterStore { world.letters.store }
  private var database: SimulatedDatabase { world.database }

  init(world: SimulatedWorld, life: Life) {
    self.world = world
    self.life = life
  }

  private func begin() async throws(StoreError) -> Fault.Effect? {
    let fault = try await database.begin(life)
    store.set(now: database.now)
    return fault
  }

  func ingest(_ arrivals: [DeadLetterArrival]) async throws(StoreError) {
    let fault = try await begin()
    try await store.ingest(arrivals)
    letters.settled()
    try await database.end(life, fault)
  }

  func oldest(_ filter: DeadLetterFilter, tenant: TenantID, until end: Timestamp, after position: DeadLetterPosition?, limit: Int) async throws(StoreError)
    -> [DeadLetter]
  {
    let fault = try await begin()
    let answer = try await store.oldest(filter, tenant: tenant, until: end, after: position, limit: limit)
    try await database.end(life, fault)
    return answer
  }

  func count(_ filter: DeadLetterFilter, tenant: TenantID) async throws(StoreError) -> Int64 {
    let fault = try await begin()
    let answer = try await store.count(filter, tenant: tenant)
    try await database.end(life, fault)
    return answer
  }

  func claim(_ claims: [ReplayClaim], patience: Duration) async throws(StoreError) -> Set<DeadLetterKey> {
    let fault = try await begin()
    var claimed = try await store.claim(claims, patience: patience)
    if world.mutation == .replaysWithoutClaim { claimed = Set(claims.map(\.key)) }
    letters.claimed(claimed, by: life)
    try await database.end(life, fault)
    return claimed
  }

  func published(_ keys: [DeadLetterKey]) async throws(StoreError) {
    let fault = try await begin()
    try await store.published(keys)
    letters.letGo(keys, by: life)
    try await database.end(life, fault)
  }

  func giveBack(_ keys: [DeadLetterKey], _ event: DeadLetterEvent) async throws(StoreError) {
    let fault = try await begin()
    try await store.giveBack(keys, event)
    letters.letGo(keys, by: life)
    try await database.end(life, fault)
  }

  func settle(after position: DeadLetterKey?, limit: Int) async throws(StoreError) -> (settled: Int, next: DeadLetterKey?) {
    let fault = try await begin()
    let answer = try await store.settle(after: position, limit: limit)
    try await database.end(life, fault)
    return answer
  }

  func takeBack(patience: Duration) async throws(StoreError) -> Int {
    let fault = try await begin()
    let answer = try await store.takeBack(patience: patience)
    try await database.end(life, fault)
    return answer
  }

  func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool { try await database.lead("dead-letters", life, for: duration) }
  func release(holder: String) async throws(StoreError) { try await database.release("dead-letters", life) }
  func untilAvailable() async { try? await world.clock.sleep(for: .milliseconds(20)) }
  func trim(_ retention: DeadLetterRetention, limit: Int) async throws(StoreError) -> Int { 0 }

  func newest(_ filter: DeadLetterFilter, tenant: TenantID, after position: DeadLetterPosition?, limit: Int) async throws(StoreError) -> [DeadLetter] {
    let fault = try await begin()
    let answer = try await store.newest(filter, tenant: tenant, after: position, limit: limit)
    try await database.end(life, fault)
    return answer
  }

  // Nobody groups or discards here.
  func groups(_ filter: DeadLetterFilter, tenant: TenantID, by grouping: DeadLetterGrouping, limit: Int) async throws(StoreError) -> [DeadLetterGroup] { [] }
  func find(_ ids: ClosedRange<UUIDValue>, tenant: TenantID, limit: Int) async throws(StoreError) -> [DeadLetter] { [] }
  func progress(_ keys: [DeadLetterKey]) async throws(StoreError) -> [DeadLetterKey: ReplayProgress] { [:] }
  func discard(_ keys: [DeadLetterKey], _ event: DeadLetterEvent, audit: [AuditEntry]) async throws(StoreError) -> Set<DeadLetterKey> { [] }
  func audit(_ entries: [AuditEntry]) async throws(StoreError) {}
}
