import Application
import Domain
import Synchronization

/// One schedule from its first command to rest, or to the first moment at which something is wrong with it.
struct Simulation {
  struct Outcome: Sendable {
    let violations: [String]
    let log: [String]
    let sights: Set<String>
    let steps: Int
    let time: Duration
    let trace: UInt64
  }

  private static let mostSteps = 100_000

  static func run(_ plan: SimulationPlan, mutation: Mutation? = nil, keepsLog: Bool = false) -> Outcome {
    let world = SimulatedWorld(plan: plan, mutation: mutation, keepsLog: keepsLog)
    let isDone = Mutex(false)
    world.schedule()
    let root = Task(executorPreference: world.executor) {
      await withDiscardingTaskGroup { group in
        for slot in 0..<plan.workers { group.addTask { await live(slot, in: world) } }
        for case .replay(let second, let operators, let closesAfter) in plan.faults {
          for number in 1...operators {
            group.addTask { await SimulatedOperator(world: world, second: second, closesAfter: number == 1 ? closesAfter : nil).run() }
          }
        }
      }
      isDone.withLock { $0 = true }
    }
    let ended = world.executor.run(
      limit: mostSteps, until: { isDone.withLock { $0 } || !world.violations.isEmpty }, beforeJob: world.strike(at:)
    ) {
      if !world.isFinished && world.isAtRest { world.finish() }
    }
    if !ended { world.violated("it does not come to rest: \(Guarantees(world: world).leftovers)") }
    if world.violations.isEmpty {
      Guarantees(world: world).check()
    } else {
      // Nothing of it may stay behind.
      world.finish()
      for life in world.lives { life.end(isDeath: true) }
      _ = world.executor.run(limit: mostSteps * 2, until: { isDone.withLock { $0 } }, beforeJob: { _ in }, whenIdle: {})
    }
    root.cancel()
    return Outcome(
      violations: world.violations, log: world.log, sights: world.sights, steps: world.executor.steps, time: world.executor.now, trace: world.executor.trace)
  }

  /// One life after the other.
  private static func live(_ slot: Int, in world: SimulatedWorld) async {
    var count = 0
    while !world.isFinished {
      count += 1
      let life = Life(name: world.plan.keepsNames ? "w\(slot)" : "w\(slot).\(count)")
      world.lives[slot] = life
      await SimulatedWorker(world: world, life: life, slot: slot).run()
      if !world.isFinished { try? await world.clock.sleep(for: .milliseconds(Int.random(in: 0...3_000, using: &world.executor.random))) }
    }
  }
}
