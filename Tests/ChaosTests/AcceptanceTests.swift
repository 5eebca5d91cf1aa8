import Foundation
import TestSupport
import Testing

/// Many commands, each sent twice, to three workers: every one takes effect exactly once, whoever dies meanwhile.
///
/// `ACCEPTANCE_ORDERS` says how many; the seed repeats a run's baskets, its order of messages and its victims.
@Suite(.serialized) struct AcceptanceTests {
  private static let orders = ProcessInfo.processInfo.environment["ACCEPTANCE_ORDERS"].flatMap(Int.init) ?? 2_000

  @Test(.timeLimit(.minutes(20))) func ordersSentTwiceAreMadeOnce() async throws { try await run(kills: 0) }

  @Test(.timeLimit(.minutes(20))) func ordersSentTwiceAreMadeOnceThoughWorkersAreKilled() async throws { try await run(kills: 10) }

  private func run(kills: Int) async throws {
    let world = try await ProductWorld.make()
    let seed = SeededGenerator.forTest("acceptance with \(kills) kills").seed
    let differences = try await AcceptanceRun(world, orders: Self.orders, seed: seed).differences(kills: kills)
    #expect(differences.isEmpty, "seed \(seed):\n\(differences.joined(separator: "\n"))\n\(world.logTail())")
    if differences.isEmpty { try await world.remove() }
  }
}
