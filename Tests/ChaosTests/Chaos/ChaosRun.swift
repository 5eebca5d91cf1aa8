import ClientRuntime
import Foundation
import Glibc
import PostgresClient
import RabbitMQClient
import TestSupport

/// Commands flow while processes die and freeze, links break and the provider fails; afterwards all that was seen is held against the database.
struct ChaosRun: Sendable {
  private static let workers = 3
  /// How long anything may wait after the last fault.
  private static let patience = Duration.seconds(60)
  private let plan: ChaosPlan
  private let faults: Int
  private let servers: ChaosServers
  private let ledger = ChaosLedger()
  private let start = ContinuousClock.now

  init(commands: Int, faults: Int, seed: UInt64, _ servers: ChaosServers) {
    plan = ChaosPlan(commands: commands, seed: seed)
    self.faults = faults
    self.servers = servers
  }

  static func world(_ servers: ChaosServers) async throws -> ProductWorld {
    let settings = await servers.settings
    return try await ProductWorld.make(
      settings.merging([
        "ORDERS_ROLES": "commands,queries,payments,outbox,dead-letters,housekeeping", "ORDERS_PAYMENT_TIMEOUT": "2s", "ORDERS_PAYMENT_GIVE_UP": "6s",
        "ORDERS_RESERVATION_TTL": "10h",
      ]) { $1 })
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

  /// Every difference by name; none is success.
  func differences(_ world: ProductWorld) async throws -> [String] {
    try await world.setStock(plan.stock)
    let (replies, events) = try await consumers(world)
    let listeners = [
      Task { await replies.listen(lost: {}, ledger.replies) }, Task { await events.listen(lost: {}, ledger.events) },
    ]
    let crew = ChaosCrew(world, servers)
    guard await crew.start(Self.workers) else { return ["worker: not all connected"] }
    let feed = ChaosFeed(world, plan, ledger)
    let deadline = Deadline.after(.seconds(300 + plan.commands / 50 + faults * 20))
    async let fed: Void = feed.run(until: deadline)
    try await suffer(crew, feed, deadline)
    feed.allow(.max)
    await crew.heal()
    let lastFault = ContinuousClock.now
    say("no more faults; \(feed.answered) of \(plan.commands) commands are answered")
    let settled = await eventually(within: Self.patience) {
      try? await Task.sleep(for: .milliseconds(100))
      return feed.isDone ? (try? await open(world).isEmpty) ?? false : false
    }
    let waited = ContinuousClock.now - lastFault
    var found: [String] = settled ? [] : ["stuck: \(feed.waiting); \(try await open(world))"]
    if !settled { say("stuck after \(waited): \(found)") }
    found += try await lookAgain(world)
    found += await crew.end()
    // What the broker has still on its way to the consumer.
    let versions = try await world.number("SELECT count(*) FROM order_history")
    _ = await eventually(within: .seconds(10)) { ledger.firstEvents >= versions }
    let audit = try await audit(world)
    found += audit.differences
    if !settled { Task { await replies.close() } }
    for consumer in [replies, events] { await consumer.stopTaking() }
    for listener in listeners { await listener.value }
    for consumer in [replies, events] { await consumer.close() }
    if settled { try await fed }
    report(audit, feed, found, waited)
    return found
  }

  /// Two lanes of faults at the same time: those of processes, and those of links and of the provider.
  private func suffer(_ crew: ChaosCrew, _ feed: ChaosFeed, _ deadline: Deadline) async throws {
    var random = SeededGenerator(seed: plan.seed &+ 1)
    let lanes = [
      ("processes", ChaosFault.ofProcesses((faults + 1) / 2, workers: Self.workers, &random), random.next()),
      ("links", ChaosFault.ofLinks(faults / 2, workers: Self.workers, &random), random.next()),
    ]
    let over = Locked([0, 0])
    let raise: @Sendable () -> Void = {
      let share = zip(over.withLock { $0 }, lanes).map { Double($0 + 1) / Double(max($1.1.count, 1)) }.min()!
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
            done: { count in
              over.withLock { $0[number] = count }
              raise()
            },
            say: { say("\(name), \($0)") })
        }
      }
      try await group.waitForAll()
    }
  }

  /// Durable queues: nothing of what comes to them is lost with a broker that is killed.
  private func consumers(_ world: ProductWorld) async throws -> (replies: Consumer, events: Consumer) {
    let queues = (replies: world.replyQueue, events: "\(world.name).chaos")
    try await AMQPAdministration.withSession(try world.configuration("chaos")) { session throws(AMQPError) in
      for queue in [queues.replies, queues.events] {
        try session.declareQueue(
          queue, arguments: [Header(name: "x-queue-type", value: .string("quorum")), Header(name: "x-delivery-limit", value: .int64(1_000_000_000))])
      }
      try session.bind(queue: queues.events, exchange: "\(world.name).events", routingKey: "#")
    }
    func consumer(_ queue: String) throws -> Consumer {
      Consumer(configuration: try world.configuration("chaos"), subscription: .queue(queue), prefetch: 2_000)
    }
    return (try consumer(queues.replies), try consumer(queues.events))
  }

  /// What waits in tables and queues, and should not for long.
  private func open(_ world: ProductWorld) async throws -> [String] {
    var found: [String] = []
    for table in ["payments WHERE state = 'open'", "processed_commands WHERE outcome IS NULL", "outbox"] {
      let count = try await world.number("SELECT count(*) FROM \(table)")
      if count > 0 { found.append("\(count) rows of \(table)") }
    }
    for queue in ["commands", "retry.1s", "retry.5s", "retry.30s", "retry.2m", "retry.10m", "dead-letter"] {
      let count = try await world.depth(queue)
      if count > 0 { found.append("\(count) messages in \(queue)") }
    }
    return found
  }

  /// What was given up while a call of it might still be on its way is looked up after minutes and hours. No call is on its way any more: now.
  private func lookAgain(_ world: ProductWorld) async throws -> [String] {
    let watched = "FROM payments WHERE state = 'unavailable' AND is_unknown"
    let number = try await world.number("SELECT count(*) \(watched)")
    if number > 0 { say("\(number) payments that were given up are looked up again") }
    let mark = try await world.number("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)")
    try await world.database.run(deadline: .after(.seconds(30))) { session throws(PostgresError) in
      try session.execute("UPDATE payments SET next_attempt_at = to_timestamp(0) WHERE state = 'unavailable' AND is_unknown")
    }
    let looked = await eventually(within: Self.patience) {
      try? await Task.sleep(for: .milliseconds(100))
      let left = try? await world.number("SELECT count(*) \(watched) AND next_attempt_at < to_timestamp(\(mark) / 1000000.0)")
      return left == 0 ? (try? await open(world).isEmpty) ?? false : false
    }
    return looked ? [] : ["stuck: payments that were given up are not looked up again; \(try await open(world))"]
  }

  private func audit(_ world: ProductWorld) async throws -> ChaosAudit {
    var audit = ChaosAudit(plan: plan, book: ledger.book)
    audit.provider = try await servers.ledger()
    audit.orders = try await world.orderRows()
    audit.history = try await world.historyRows()
    audit.payments = try await world.paymentRows()
    audit.stock = try await world.stock()
    audit.claims = try await world.groups("SELECT message_id, coalesce(outcome, ''), coalesce(rejection::json->>'code', '') FROM processed_commands") {
      ChaosAudit.Claim(outcome: $0.text($1, 1), rejection: $0.text($1, 2))
    }.mapValues { $0[0] }
    audit.deadLetters = try await world.groups("SELECT coalesce(message_id, ''), reason, state FROM dead_letters") {
      ChaosAudit.DeadLetter(reason: $0.text($1, 1), state: $0.text($1, 2))
    }
    return audit
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
