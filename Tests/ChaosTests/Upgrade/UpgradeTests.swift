import ClientRuntime
import Foundation
import TestSupport
import Testing

/// The executable of the version before this one.
private let previousExecutable = ProcessInfo.processInfo.environment["ORDER_WORKER_PREVIOUS"]

/// The previous version and this one side by side on one database and broker while commands flow: forward, back, and forward again.
///
/// `ORDER_WORKER_PREVIOUS` names the previous version's executable; `UPGRADE_COMMANDS` says how many commands flow, `CHAOS_SEED` repeats them.
@Suite(.serialized, .enabled(if: previousExecutable != nil)) struct UpgradeTests {
  private static func number(_ name: String) -> UInt64? { ProcessInfo.processInfo.environment[name].flatMap(UInt64.init) }

  @Test(.timeLimit(.minutes(60))) func nothingIsLostOrRefusedWhileVersionsChange() async throws {
    let (old, new) = (previousExecutable!, ProductWorld.executable)
    let seed = Self.number("CHAOS_SEED") ?? UInt64.random(in: 0..<1_000_000)
    let commands = Int(Self.number("UPGRADE_COMMANDS") ?? 12_000)
    print("upgrade: CHAOS_SEED=\(seed) UPGRADE_COMMANDS=\(commands)")
    let servers = try await ChaosServers()
    do {
      let world = try await ChaosRun.world(servers, executable: old)
      let before = try await Self.schema(world)
      let run = ChaosRun(commands: commands, faults: 0, seed: seed, servers)
      var differences = try await run.differences(world, executable: old) { crew, feed, deadline in
        try await Rollout(world: world, commands: commands, crew: crew, feed: feed, deadline: deadline).run(from: old, to: new)
      }
      let after = try await Self.schema(world)
      print("upgrade: the schema went from \(before) to \(after); commands settled by each life of a worker: \(Self.settled(world))")
      differences += Self.settled(world).filter { $0 == 0 }.map { _ in "worker: one did nothing" }
      differences += Self.complaints(world)
      #expect(differences.isEmpty, "CHAOS_SEED=\(seed):\n\(differences.prefix(60).joined(separator: "\n"))\n\(world.logTail(20))")
      if differences.isEmpty { try await world.remove() }
    } catch {
      await servers.remove()
      throw error
    }
    await servers.remove()
  }

  private static func schema(_ world: ProductWorld) async throws -> Int64 { try await world.number("SELECT max(version) FROM schema_migrations") }

  /// By the last line of each worker.
  private static func settled(_ world: ProductWorld) -> [Int] {
    world.printed.matches(of: /"message":"worker stopped".*?"settled":(\d+)/).compactMap { Int($0.1) }
  }

  /// What a worker said at the level of an error, but for the new one that came before its tables.
  private static func complaints(_ world: ProductWorld) -> [String] {
    let lines = world.printed.split(separator: "\n").filter { $0.contains(#""level":"error""#) || $0.contains(#""level":"critical""#) }
    return lines.filter { !$0.contains("not ready: looking again until it is") }.map { "worker: says \($0)" }
  }
}

/// What people do on a day of an upgrade, and at night when they take it back.
private struct Rollout {
  let world: ProductWorld
  let commands: Int
  let crew: ChaosCrew
  let feed: ChaosFeed
  let deadline: Deadline

  func run(from old: String, to new: String) async throws {
    try await flow(to: 0.1)
    // A rollout begins before set-up has run: the new worker waits, and the old ones go on.
    await crew.replace(0, by: new) { await isWaiting() ? await setUpByMany(new) : false }
    try await flow(to: 0.25)
    await crew.replace(1, by: new)
    try await flow(to: 0.4)
    await crew.replace(2, by: new)
    // Back, on the tables of the new one.
    for (index, share) in [0.5, 0.55, 0.6].enumerated() {
      try await flow(to: share)
      await crew.replace(index, by: old)
    }
    for (index, share) in [0.75, 0.8, 0.85].enumerated() {
      try await flow(to: share)
      await crew.replace(index, by: new)
    }
  }

  /// Until that part of the commands is answered; more are on their way, so that the next step falls into the work.
  private func flow(to share: Double) async throws {
    feed.allow(Int(min(1, share + 0.08) * Double(commands)))
    let reached = await eventually(within: min(deadline.remaining, .seconds(240))) { Double(feed.answered) >= share * Double(commands) }
    if !reached { throw TooSlow(share: share, answered: feed.answered) }
    print("upgrade: \(feed.answered) of \(commands) commands are answered, \(feed.unanswered) are on their way")
  }

  private struct TooSlow: Error {
    let share: Double
    let answered: Int
  }

  private func isWaiting() async -> Bool {
    await eventually { world.printed.contains("not ready: looking again until it is") }
  }

  /// Eight at once, as Jobs that are started twice, or a set-up in each pod, would.
  private func setUpByMany(_ executable: String) async -> Bool {
    await withTaskGroup { group in
      for _ in 0..<8 { group.addTask { await world.command(["setup"], executable: executable) } }
      return await group.reduce(true) { $0 && $1 }
    }
  }
}
