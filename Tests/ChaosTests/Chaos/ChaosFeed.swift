import ClientRuntime
import RabbitMQClient
import TestSupport

/// Lets lives be lived as senders do: each message until it is confirmed, the next once this one is answered. Where no answer comes, a quarter of the senders
/// ask again; the others rely on the confirm, and look in the database whether it was done.
final class ChaosFeed: Sendable {
  private struct Active {
    var burst = 0
    var open: Set<Int> = []
    var askedAt = ContinuousClock.now
    var patience = Duration.seconds(8)
  }

  private struct Message {
    let life: Int
    let step: Int
  }

  private struct State {
    var nextLife = 0
    var startedCommands = 0
    var active: [Int: Active] = [:]
    var outgoing: [Message] = []
    var later: [(at: ContinuousClock.Instant, message: Message)] = []
    var limit = 0
    var isEnded = false
    var answered = 0
    var inFlight = 0
    var counts = Counts()
  }

  struct Counts: Sendable {
    var duplicates = 0
    var swapped = 0
    var askedAgain = 0
    var unconfirmed = 0
  }

  /// Lives that are lived at the same time, and commands a second of lives that begin.
  private static let (width, rate) = (300, 600)
  private let world: ProductWorld
  private let plan: ChaosPlan
  private let ledger: ChaosLedger
  private let state = Locked(State())

  init(_ witness: ChaosWitness) {
    world = witness.world
    plan = witness.plan
    ledger = witness.ledger
    ledger.whenAnswered { [weak self] in self?.answered($0) }
  }

  /// Commands that have been answered, each once.
  var answered: Int { state.withLock(\.answered) }
  /// Commands that were sent and not answered yet.
  var unanswered: Int { state.withLock { $0.active.values.reduce(0) { $0 + $1.open.count } } }
  var counts: Counts { state.withLock(\.counts) }
  /// Everything was sent, confirmed and answered.
  var isDone: Bool { state.withLock(isDone) }

  /// Lives begin only while those before them have so many commands.
  func allow(_ commands: Int) { state.withLock { $0.limit = max($0.limit, commands) } }

  /// Nothing more is sent.
  func end() { state.withLock { $0.isEnded = true } }

  /// What it waits for, for a run that does not end.
  var waiting: String {
    state.withLock { state in
      let ids = state.active.flatMap { life, active in active.open.map { plan.lives[life].id($0) } }
      return "\(ids.count) commands are unanswered, such as \(ids.sorted().prefix(3)); \(state.outgoing.count) are to be sent, \(state.inFlight) unconfirmed"
    }
  }

  func run(until deadline: Deadline) async throws {
    let publishers = [try world.publisher(), try world.publisher()]
    await withTaskGroup(of: Void.self) { group in
      for publisher in publishers { group.addTask { await self.publish(publisher, until: deadline) } }
      group.addTask { await self.live(until: deadline) }
      group.addTask { await self.look(until: deadline) }
    }
    for publisher in publishers { await publisher.close() }
  }

  /// Also where the run ends by an error.
  private var isOver: Bool { Task.isCancelled || state.withLock { $0.isEnded || isDone(&$0) } }

  private func isDone(_ state: inout State) -> Bool {
    state.nextLife == plan.lives.count && state.active.isEmpty && state.outgoing.isEmpty && state.later.isEmpty && state.inFlight == 0
  }

  private func answered(_ id: String) {
    guard let place = plan.place(of: id) else { return }
    state.withLock { state in
      guard state.active[place.life]?.open.remove(place.step) != nil else { return }
      state.answered += 1
      guard state.active[place.life]?.open.isEmpty == true else { return }
      state.active[place.life]?.burst += 1
      send(place.life, &state)
    }
  }

  /// Sends the next burst of a life, or ends it.
  private func send(_ life: Int, _ state: inout State) {
    guard var active = state.active[life], active.burst < plan.lives[life].bursts.count else {
      state.active[life] = nil
      return
    }
    let burst = plan.lives[life].bursts[active.burst]
    active.open = Set(burst)
    (active.askedAt, active.patience) = (.now, .seconds(8))
    state.active[life] = active
    if burst.count > 1 { state.counts.swapped += 1 }
    for step in burst {
      let message = Message(life: life, step: step)
      state.outgoing.append(message)
      switch plan.lives[life].steps[step].copies {
      case .one: continue
      case .twoAtOnce: state.outgoing.append(message)
      case .another(let pause): state.later.append((.now + pause, message))
      }
      state.counts.duplicates += 1
    }
  }

  private func live(until deadline: Deadline) async {
    let tick = Duration.milliseconds(5)
    var allowance = 0.0
    while !deadline.hasPassed && !isOver {
      allowance = min(allowance + Double(Self.rate) * (tick / .seconds(1)), 50)
      state.withLock { state in
        let now = ContinuousClock.now
        while allowance > 0, state.nextLife < plan.lives.count, state.active.count < Self.width, state.startedCommands < state.limit {
          let life = state.nextLife
          state.nextLife += 1
          state.startedCommands += plan.lives[life].steps.count
          allowance -= Double(plan.lives[life].steps.count)
          state.active[life] = Active()
          send(life, &state)
        }
        state.outgoing += state.later.filter { $0.at <= now }.map(\.message)
        state.later.removeAll { $0.at <= now }
        for (life, active) in state.active where plan.lives[life].asksAgain && now - active.askedAt > active.patience {
          state.active[life]?.askedAt = now
          state.active[life]?.patience = min(active.patience * 2, .seconds(20))
          state.counts.askedAgain += active.open.count
          state.outgoing += active.open.map { Message(life: life, step: $0) }
        }
      }
      try? await Task.sleep(for: tick)
    }
  }

  /// For those who never ask again: what was done though no answer came, as one that a worker took along may never do.
  private func look(until deadline: Deadline) async {
    while !deadline.hasPassed && !isOver {
      let overdue = state.withLock { state in
        state.active.filter { !plan.lives[$0.key].asksAgain && .now - $0.value.askedAt > $0.value.patience }
          .flatMap { life, active in active.open.map { plan.lives[life].id($0) } }
      }
      for id in (try? await world.ended(overdue)) ?? [] { answered(id) }
      try? await Task.sleep(for: .milliseconds(500))
    }
  }

  private func publish(_ publisher: Publisher, until deadline: Deadline) async {
    while !deadline.hasPassed && !isOver {
      let taken = state.withLock { state in
        let taken = Array(state.outgoing.prefix(50))
        state.outgoing.removeFirst(taken.count)
        state.inFlight += taken.count
        return taken
      }
      if taken.isEmpty {
        try? await Task.sleep(for: .milliseconds(3))
        continue
      }
      let outcomes = await publisher.publish(taken.map { plan.lives[$0.life].publication($0.step, in: world) }, deadline: .after(.seconds(10)))
      ledger.confirmed(zip(taken, outcomes).filter { $0.1 == .confirmed }.map { plan.lives[$0.0.life].id($0.0.step) })
      let again = zip(taken, outcomes).filter { $0.1 != .confirmed }.map(\.0)
      state.withLock { state in
        state.inFlight -= taken.count
        state.outgoing.insert(contentsOf: again, at: 0)
        state.counts.unconfirmed += again.count
      }
      if !again.isEmpty { try? await Task.sleep(for: .milliseconds(100)) }
    }
  }
}
