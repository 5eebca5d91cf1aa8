import ClientRuntime
import TestSupport

/// A worker that dies at named points of its work, one life after the other, until one life is left in peace.
struct FailpointRun: Sendable {
  /// What `ORDER_WORKER_FAILPOINT` says in each life but the last.
  let lives: [String]
  let seed: UInt64

  /// Every difference by name; none is success.
  func differences(_ world: ProductWorld, _ sandbox: PaymentSandbox) async throws -> [String] {
    let plan = ChaosPlan(commands: 200, seed: seed)
    try await world.setStock(plan.stock)
    let witness = ChaosWitness(world, plan)
    return try await witness.hear {
      let feed = ChaosFeed(witness)
      feed.allow(.max)
      async let fed: Void = feed.run(until: .after(.seconds(200)))
      var found: [String] = []
      var workers: [ServerProcess] = []
      for failpoint in lives {
        let worker = await world.worker(variables: ["ORDER_WORKER_FAILPOINT=\(failpoint)"])
        if failpoint.hasSuffix(":pause") {
          workers.append(worker)
          workers.append(await world.worker())
          if await !eventually({ reached(world) > 0 }) { found.append("worker: \(failpoint) was not reached") }
          // Longer than any lease of a payment and than a transaction may stand idle: another worker has taken over what this one has in hand.
          try? await Task.sleep(for: .seconds(9))
          worker.thaw()
        } else if await !eventually(within: .seconds(30), { !worker.isRunning }) {
          found.append("worker: \(failpoint) was not reached")
          workers.append(worker)
        }
      }
      if workers.isEmpty { workers.append(await world.worker()) }
      found += try await witness.settle(feed)
      feed.end()
      try await fed
      found += try await witness.lookAgain()
      await withTaskGroup(of: Void.self) { group in
        for worker in workers { group.addTask { await worker.end() } }
      }
      if reached(world) != lives.count { found.append("worker: \(reached(world)) of \(lives.count) failpoints were reached") }
      return found + (try await witness.audit(try await sandbox.ledger()).differences)
    }
  }

  private func reached(_ world: ProductWorld) -> Int { world.printed.split(separator: "\n").count { $0.contains("failpoint reached") } }
}
