import ClientRuntime
import Glibc
import Synchronization

/// Runs simulations on threads of their own, and makes the plan of one that fails as small as it can.
struct SimulationCrew {
  struct Failure: Sendable {
    let plan: SimulationPlan
    let outcome: Simulation.Outcome

    var summary: String {
      "seed \(plan.seed), \(plan.keptCommands.count) commands, \(plan.keptFaults.count) faults: \(outcome.violations[0])"
    }

    /// What to look at, and how to see it again.
    var report: String {
      let faults = plan.faults.map { "\n  \($0)" }.joined()
      return """
        SimulationPlan(seed: \(plan.seed), commands: \(plan.keptCommands), faults: \(plan.keptFaults)), \(plan.workers) workers
        \(outcome.violations.joined(separator: "; "))
        with the faults:\(faults.isEmpty ? " none" : faults)
        \(outcome.log.suffix(150).joined(separator: "\n"))
        """
    }
  }

  struct Result: Sendable {
    /// Of the first seed that breaks a guarantee, made small; nil where all hold.
    let failure: Failure?
    /// What came about in any of them.
    let sights: Set<String>
  }

  let seeds: ClosedRange<UInt64>
  var mutation: Mutation?

  static func run(_ plan: SimulationPlan, mutation: Mutation? = nil, keepsLog: Bool = false) async -> Simulation.Outcome {
    let box = OutcomeBox()
    await thread { box.outcome.withLock { $0 = Simulation.run(plan, mutation: mutation, keepsLog: keepsLog) } }.join()
    return box.outcome.withLock { $0! }
  }

  private func onThreads(_ body: @escaping @Sendable () -> Void) async {
    for thread in (0..<2).map({ _ in Self.thread(body) }) { await thread.join() }
  }

  /// One that makes way for other tests, which have deadlines.
  private static func thread(_ body: @escaping @Sendable () -> Void) -> DedicatedThread {
    DedicatedThread(name: "simulation") {
      setpriority(__priority_which_t(PRIO_PROCESS.rawValue), 0, 10)
      body()
    }
  }

  /// Runs them until one breaks a guarantee.
  func run() async -> Result {
    let work = Work(next: seeds.lowerBound)
    await onThreads {
      while let seed = work.take(upTo: seeds.upperBound) {
        let plan = SimulationPlan(seed: seed)
        let outcome = Simulation.run(plan, mutation: mutation)
        work.saw(outcome.sights)
        if !outcome.violations.isEmpty { work.failed(Failure(plan: plan, outcome: outcome)) }
      }
    }
    guard let failed = work.failure else { return Result(failure: nil, sights: work.sights) }
    return Result(failure: await shrunk(failed), sights: work.sights)
  }

  private func shrunk(_ failure: Failure) async -> Failure {
    let box = FailureBox()
    await Self.thread { box.failure.withLock { $0 = smallest(failure) } }.join()
    return box.failure.withLock { $0! }
  }

  /// Leaves out faults and commands, many at once and then one by one, for as long as something still fails.
  private func smallest(_ failure: Failure) -> Failure {
    var smallest = failure.plan
    var step = smallest.size
    while step > 0 {
      let starts = stride(from: 0, to: smallest.size, by: step).reversed()
      let smaller = starts.lazy.map { smallest.without($0..<min($0 + step, smallest.size)) }
        .first { !Simulation.run($0, mutation: mutation).violations.isEmpty }
      if let smaller { smallest = smaller } else { step /= 2 }
    }
    return Failure(plan: smallest, outcome: Simulation.run(smallest, mutation: mutation, keepsLog: true))
  }

  private final class OutcomeBox: Sendable { let outcome = Mutex<Simulation.Outcome?>(nil) }
  private final class FailureBox: Sendable { let failure = Mutex<Failure?>(nil) }

  private final class Work: Sendable {
    private let state: Mutex<(next: UInt64, failure: Failure?, sights: Set<String>)>
    init(next: UInt64) { state = Mutex((next, nil, [])) }
    var failure: Failure? { state.withLock { $0.failure } }
    var sights: Set<String> { state.withLock { $0.sights } }
    func saw(_ sights: Set<String>) { state.withLock { $0.sights.formUnion(sights) } }

    func take(upTo last: UInt64) -> UInt64? {
      state.withLock { state in
        guard state.failure == nil, state.next <= last else { return nil }
        defer { state.next += 1 }
        return state.next
      }
    }

    func failed(_ failure: Failure) {
      state.withLock { state in
        if state.failure.map({ $0.plan.seed > failure.plan.seed }) ?? true { state.failure = failure }
      }
    }
  }
}
