import Foundation
import TestSupport
import Testing

/// Everything that may break breaks while commands flow, and nothing is lost or done twice.
///
/// `CHAOS_COMMANDS` and `CHAOS_FAULTS` say how much; `CHAOS_SEED` repeats a run's commands and its faults. `CHAOS_SABOTAGE` names a table, such as
/// `outbox` or `processed_commands`, whose rows the database forgets: such a run must fail.
@Suite(.serialized) struct ChaosTests {
  private static func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap(UInt64.init) }

  @Test(.timeLimit(.minutes(120))) func nothingIsLostOrDoneTwiceWhateverBreaks() async throws {
    let seed = Self.number("CHAOS_SEED") ?? UInt64.random(in: 0..<1_000_000)
    let (commands, faults) = (Int(Self.number("CHAOS_COMMANDS") ?? 1_000), Int(Self.number("CHAOS_FAULTS") ?? 10))
    print("chaos: CHAOS_SEED=\(seed) CHAOS_COMMANDS=\(commands) CHAOS_FAULTS=\(faults)")
    let servers = try await ChaosServers()
    do {
      let world = try await ChaosRun.world(servers)
      if let table = ProcessInfo.processInfo.environment["CHAOS_SABOTAGE"] { try await ChaosRun.sabotage(table, in: world) }
      let differences = try await ChaosRun(commands: commands, faults: faults, seed: seed, servers).differences(world)
      #expect(
        differences.isEmpty,
        "CHAOS_SEED=\(seed): \(differences.count) differences:\n\(differences.prefix(60).joined(separator: "\n"))\n\(world.logTail(20))")
      if differences.isEmpty { try await world.remove() }
    } catch {
      await servers.remove()
      throw error
    }
    await servers.remove()
  }
}
