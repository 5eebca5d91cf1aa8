import Glibc

/// The workers of one world, of which any may be killed and is replaced at once.
package actor WorkerCrew {
  private let world: ProductWorld
  private var workers: [ServerProcess] = []

  package init(_ world: ProductWorld) { self.world = world }

  /// Returns when all are connected; false where they are not in time.
  package func start(_ count: Int) async -> Bool {
    for _ in 0..<count { workers.append(await world.worker()) }
    return await world.connections(reach: count)
  }

  /// `kill -9` of one, and a new one in its place; returns when that is connected.
  package func kill(_ index: Int) async -> Bool {
    let before = world.connections
    let victim = workers[index]
    victim.signal(SIGKILL)
    workers[index] = await world.worker()
    guard await eventually({ !victim.isRunning }) else { return false }
    return await world.connections(reach: before + 1)
  }

  package func freeze() { for worker in workers { worker.freeze() } }
  package func thaw() { for worker in workers { worker.thaw() } }

  /// SIGTERM for all: what they have in hand is settled or back in its queue afterwards. False where one had ended by itself, or did not
  /// end by its own report.
  package func end() async -> Bool {
    let survived = workers.allSatisfy(\.isRunning)
    // At the same time, and one signal each: a second one ends a worker at once.
    await withTaskGroup(of: Void.self) { group in
      for worker in workers { group.addTask { await worker.end() } }
    }
    let stopped = world.printed.split(separator: "\n").count { $0.contains(#""message":"worker stopped""#) && $0.contains(#""abandoned":0"#) }
    defer { workers = [] }
    return survived && stopped == workers.count
  }
}
