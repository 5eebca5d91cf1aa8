import ClientRuntime
import Operations
import RabbitMQAdapter
import TestSupport
import Testing

@testable import order_worker

@Suite(.enabled(if: ServerWorld.isThere)) struct QueueWatchTests {
  /// A stop may come at any moment of a look, and each is the last thing that somebody waits for.
  @Test(.timeLimit(.minutes(1))) func itEndsWheneverItIsStopped() async throws {
    try await ServerWorld.with { world in
      for round in 0..<60 {
        let watch = QueueWatch(try world.connection, topology: Topology(prefix: world.prefix), health: HealthRegistry())
        let hasEnded = Locked(false)
        let running = Task {
          await watch.run()
          hasEnded.withLock { $0 = true }
        }
        if round % 3 > 0 { #expect(await eventually { watch.isConnected }) }
        watch.stop(running)
        try #require(await eventually { hasEnded.withLock { $0 } }, "round \(round)")
      }
    }
  }
}
