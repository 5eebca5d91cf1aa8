import ClientRuntime
import Foundation
import Glibc
import PostgresClient
import TestSupport

/// Commands flow while processes die and freeze, links break and the provider fails; afterwards all that was seen is held against the database.
struct ChaosRun: Sendable {
  private static let workers = 3
  private let plan: ChaosPlan
  private let faults: Int
  private let servers: ChaosServers
  private let start = ContinuousClock.now

  init(commands: Int, faults: Int, seed: UInt64, _ servers: ChaosServers) {
    plan = ChaosPlan(commands: commands, seed: seed)
    self.faults = faults
    self.servers = servers
  }

  static func world(_ servers: ChaosServers, executable: String = ProductWorld.executable) async throws -> ProductWorld {
    try await ProductWorld.make(await servers.settings.merging(ChaosWitness.settings) { $1 }, senders: .make(), executable: executable)
  }

  /// Makes the database forget every row of a table at once, as a worker would that never wrote it: the run must find that.
  static func sabotage(_ table: String, in world: ProductWorld) async throws {
    try await world.database.run(deadline: .after(.seconds(30))) { session throws(PostgresError) in
      try session.execute(
        """
        CREATE FUNCTION forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
        CREATE TRIGGER forget BEFORE INSERT ON \(table) FOR EACH ROW EXECUTE FUNCTION forget()
        """)
    }
  }

  /// What happens to the workers while commands flow, instead of faults.
  typealias Change = @Sendable (ChaosCrew, ChaosFeed, Deadline) async throws -> Void

  /// Every difference by name; none is success. The workers are `executable`'s at first, and `change`, where there is one, replaces them.
  func differences(_ world: ProductWorld, executable: String = ProductWorld.executable, change: Change? = nil) async throws -> [String] {
    try await world.setStock(plan.stock)
    let witness = ChaosWitness(world, plan)
    return try await witness.hear {
      let crew = ChaosCrew(world, servers)
      guard await crew.start(Self.workers, executable: executable) else { return ["worker: not all connected"] }
      guard await servers.remember(witness.declared) else { return ["broker: does not write down what was declared"] }
      let feed = ChaosFeed(witness)
      let deadline = Deadline.after(.seconds(300 + plan.commands / 50 + faults * 20))
      async let fed: Void = feed.run(until: deadline)
      if let change { try await change(crew, feed, deadline) } else { try await suffer(crew, feed, deadline) }
      feed.allow(.max)
      await crew.heal()
      let lastFault = ContinuousClock.now
      say("no more faults; \(feed.answered) of \(plan.commands) commands are answered")
      var found = try await witness.settle(feed)
      let waited = ContinuousClock.now - lastFault
      if !found.isEmpty { say("after \(waited): \(found)") }
      feed.end()
      try await fed
      found += try await witness.lookAgain()
      found += await crew.end()
      let audit = try await witness.audit(try await servers.ledger())
      found += audit.differences
      report(audit, feed, found, waited)
      return found
    }
  }

  /// Two lanes of faults at the same time: those of processes, and those of links and of the provider.
  private func suffer(_ crew: ChaosCrew, _ feed: ChaosFeed, _ deadline: Deadline) async throws {
    var random = SeededGenerator(seed: plan.seed &+ 1)
    let lanes = [
      ("processes", ChaosFault.ofProcesses((faults + 1) / 2, workers: Self.workers, &random), random.next()),
      ("links", ChaosFault.ofLinks(faults / 2, workers: Self.workers, &random), random.next()),
    ]
    // The work stops a little after a fault is due, and goes on when the fault begins, which so meets more than what is left over and waits.
    let allowance = Locked([0.6, 0.6])
    let raise: @Sendable () -> Void = {
      let share = zip(allowance.withLock { $0 }, lanes).map { lane in lane.1.1.isEmpty ? 1 : lane.0 / Double(lane.1.1.count) }.min()!
      feed.allow(Int(share * Double(plan.commands)))
    }
    raise()
    try await withThrowingTaskGroup(of: Void.self) { group in
      for (number, (name, faults, seed)) in lanes.enumerated() {
        group.addTask {
          try await ChaosFaults(faults: faults, seed: seed, servers: servers, crew: crew).run(
            reached: { share in
              await eventually(within: min(deadline.remaining, .seconds(240))) {
                try? await Task.sleep(for: .milliseconds(20))
                return Double(feed.answered) >= share * Double(plan.commands)
              }
            },
            begun: { count in
              allowance.withLock { $0[number] = Double(count) + 0.3 }
              raise()
            },
            done: { count in
              allowance.withLock { $0[number] = Double(count) + 0.6 }
              raise()
            },
            say: { say("\(name), \($0), with \(feed.unanswered) commands unanswered") })
        }
      }
      try await group.waitForAll()
    }
  }

  private func report(_ audit: ChaosAudit, _ feed: ChaosFeed, _ found: [String], _ waited: Duration) {
    let (book, counts) = (audit.book, feed.counts)
    let statuses = Dictionary(grouping: audit.orders.values, by: \.status).map { "\($0.value.count) \($0.key)" }.sorted().joined(separator: ", ")
    let numbers = ChaosAudit.names.map { name in "\(name) \(found.count { $0.hasPrefix("\(name):") })" }.joined(separator: ", ")
    print(
      """
      chaos: seed \(plan.seed), \(faults) faults, \(plan.commands) commands to \(Self.workers) workers in \(ContinuousClock.now - start): \(book.confirmed.values.reduce(0, +)) \
      messages confirmed, \(counts.duplicates) duplicated, \(counts.swapped) pairs reordered, \(counts.unconfirmed) published again unconfirmed, \
      \(counts.askedAgain) asked again; \(book.replies) replies of which \(book.duplicates) duplicate; \(book.firsts) events and \(book.repeats) repeats; \
      \(audit.provider.count) effects and declines of the provider; \(audit.deadLetters.count) dead letters; orders: \(statuses)
      chaos: all was quiet \(waited) after the last fault; \(numbers)
      """)
  }

  private func say(_ words: String) {
    print("chaos: \(Int((ContinuousClock.now - start) / .seconds(1))) s: \(words)")
    fflush(nil)
  }
}
