import Application
import Domain
import TestSupport

/// What the workers of a simulation share: time, chance, faults, the servers, and the list of what was found wrong.
final class SimulatedWorld: @unchecked Sendable {  // touched by the one thread that runs its executor
  let plan: SimulationPlan
  let mutation: Mutation?
  let executor: SeededExecutor
  var clock: SimulatedClock { SimulatedClock(executor: executor) }
  private(set) var violations: [String] = []
  /// What came about in it, by name.
  private(set) var sights: Set<String> = []
  private(set) var log: [String] = []
  private let keepsLog: Bool
  private var faults: FaultBook
  private let outages: [Fault.Server: [Range<Duration>]]
  private(set) var isFinished = false
  var lives: [Life]
  var sources: [[SimulatedSource]]
  private(set) lazy var broker = SimulatedBroker(world: self)
  private(set) lazy var database = SimulatedDatabase(world: self)
  private(set) lazy var provider = SimulatedProvider(world: self)
  private(set) lazy var letters = SimulatedLetters(world: self)
  private(set) lazy var trials = SimulatedTrials(world: self)

  init(plan: SimulationPlan, mutation: Mutation?, keepsLog: Bool) {
    self.plan = plan
    self.mutation = mutation
    self.keepsLog = keepsLog
    executor = SeededExecutor(seed: plan.seed ^ 0x5EED_0F_5C4ED01E, slack: plan.slack)
    faults = FaultBook(plan.faults)
    outages = plan.faults.reduce(into: [:]) { outages, fault in
      guard case .outage(let server, let start, let length) = fault else { return }
      outages[server, default: []].append(.seconds(start)..<(.seconds(start + length)))
    }
    lives = (0..<plan.workers).map { Life(name: "w\($0)") }
    sources = lives.map { _ in [] }
  }

  /// What workers' and operators' own clocks show: never the same time twice, as between two failures of one letter there is always some.
  var wallClock: Timestamp { database.now + .microseconds(executor.steps) }

  func violated(_ sentence: @autoclosure () -> String) {
    guard violations.count < 20 else { return }
    let sentence = sentence()
    if !violations.contains(sentence) { violations.append(sentence) }
    tell("VIOLATED: \(sentence)")
  }

  func tell(_ line: @autoclosure () -> String) {
    guard keepsLog else { return }
    log.append("\(executor.now / .milliseconds(1)) ms, step \(executor.steps): \(line())")
  }

  func saw(_ sight: String) { sights.insert(sight) }

  func fault(_ port: Fault.Port) -> Fault.Effect? {
    switch port {
    case .transaction where isOut(.store), .look where isOut(.store): return .unavailable
    case .events where isOut(.broker), .forward where isOut(.broker): return .nack
    default: break
    }
    let effect = faults.next(port)
    if let effect {
      if case .held = effect { saw("\(port) held") } else { saw("\(port) \(effect)") }
      tell("\(port) \(effect)")
    }
    return effect
  }

  func refuses(_ identities: [CommandIdentity]) -> Bool {
    faults.refuses(identities.compactMap { SimulationPlan.index(of: $0.message.rawValue) })
  }

  /// The time that a call takes: mostly none, seldom long.
  func pause(isSlow: Bool = false) async {
    if isSlow { try? await clock.sleep(for: .seconds(8)) }
    switch Int.random(in: 0..<16, using: &executor.random) {
    case 0..<7: return
    case 7..<12: await Task.yield()
    case 12..<14: try? await clock.sleep(for: .microseconds(Int.random(in: 1...3_000, using: &executor.random)))
    case 14: try? await clock.sleep(for: .milliseconds(Int.random(in: 1...60, using: &executor.random)))
    default: try? await clock.sleep(for: .milliseconds(Int.random(in: 1...400, using: &executor.random)))
    }
  }

  /// What strikes at this step.
  func strike(at step: Int) {
    for fault in faults.steps[step] ?? [] {
      tell("\(fault)")
      switch fault {
      case .kill(let worker, _):
        if !lives[worker].isOver { saw("killed") }
        lives[worker].end(isDeath: true)
      case .drain(let worker, _): lives[worker].end(isDeath: false)
      case .loseChannel(let worker, _): for source in sources[worker] { source.loseChannel() }
      case .loseLeases: database.loseLeases()
      case .call, .poison, .duplicate, .outage, .replay: break
      }
    }
  }

  /// Whether a server refuses whatever it is asked.
  func isOut(_ server: Fault.Server) -> Bool {
    if server == .provider, executor.now < provider.cutOffUntil { return true }
    guard let outages = outages[server] else { return false }
    let isOut = outages.contains { $0.contains(executor.now) }
    if isOut { saw("\(server) outage") }
    return isOut
  }

  /// Everything that upstream sends, at its time.
  func schedule() {
    for sending in plan.commands {
      var times = [sending.milliseconds]
      for case .duplicate(let command, let later) in plan.faults where command == sending.number { times.append(sending.milliseconds + later) }
      for time in times {
        broker.expected += 1
        executor.at(.milliseconds(time)) { [unowned self] _ in
          broker.expected -= 1
          broker.commands.put(sending.message)
        }
      }
    }
    for outage in outages[.broker] ?? [] {
      executor.at(outage.lowerBound) { [unowned self] _ in for source in sources.joined() { source.loseChannel() } }
      executor.at(outage.upperBound) { [unowned self] _ in for queue in [broker.commands, broker.deadLetterQueue] { queue.wake() } }
    }
  }

  var isAtRest: Bool {
    broker.isAtRest && database.isAtRest && provider.isAtRest && letters.isAtRest
      // What came late is still to be found.
      && !database.tables.records.values.contains { $0.isWatched && provider.hasDone($0.call.key) }
  }

  func finish() {
    guard !isFinished else { return }
    tell("at rest")
    isFinished = true
    for life in lives { life.end(isDeath: false) }
  }
}
