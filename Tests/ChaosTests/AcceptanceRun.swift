import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport

/// Commands sent twice each to three workers, who may be killed meanwhile, and the comparison of what was sent with all that came of it.
struct AcceptanceRun: Sendable {
  private static let workers = 3
  private let world: ProductWorld
  private let plan: OrderPlan
  private let ledger: Ledger
  private let crew: WorkerCrew
  private let deadline: Deadline

  init(_ world: ProductWorld, orders: Int, seed: UInt64) {
    self.world = world
    plan = OrderPlan(count: orders, seed: seed)
    ledger = Ledger(plan)
    crew = WorkerCrew(world)
    deadline = .after(.seconds(120 + orders / 50))
  }

  /// Returns every difference by name; none is success.
  func differences(kills: Int) async throws -> [String] {
    let start = ContinuousClock.now
    // Exactly what will be asked for: a unit that is reserved twice is missing elsewhere, as a rejection.
    try await world.setStock(plan.ordered)
    let (replies, events) = (try world.replies(), try world.events())
    let listeners = [
      Task { await replies.listen(lost: { ledger.fault("the connection for replies was lost") }, ledger.replies) },
      Task { await events.listen(lost: { ledger.fault("the connection for events was lost") }, ledger.events) },
    ]
    guard await eventually({ replies.state.isConnected && events.state.isConnected }) else { return ["the listeners did not connect"] }
    guard await crew.start(Self.workers) else { return ["the workers did not connect"] }
    // More pieces than kills: the last one must fall where there still is work, and a piece that was done too soon sees none.
    let piece = kills == 0 ? Int.max : 2 * plan.count / (kills + 8)
    let feed = CommandFeed(world, plan, ledger, limit: kills == 0 ? .max : 2 * piece)
    async let fed: Void = feed.run(until: deadline)
    let work = ContinuousClock.now
    var differences = try await killed(kills, piece, feed)
    feed.release()
    try await fed
    // An answer is sent once: what stood in a killed worker's socket may be lost with it, and who asks again hears.
    if kills > 0, !(await eventually(within: .seconds(30)) { ledger.unanswered == 0 }), ledger.unanswered < 100 {
      print("acceptance: \(ledger.unanswered) messages are asked again")
      try await feed.askAgain(ledger.unansweredOrders)
    }
    let answered = try await eventually(within: deadline.remaining) {
      try? await Task.sleep(for: .milliseconds(10))
      guard ledger.hasRepliesOfAll, ledger.unanswered == 0 else { return false }
      return try await world.depth("commands") == 0
    }
    let done = ContinuousClock.now
    if !answered { differences.append("not all was answered by the deadline: \(ledger.unanswered) messages are unanswered") }
    let left = try await outbox()
    // The relay waits 2 s, and up to 10 s for the lease of a leader that is dead.
    if !(try await eventually(within: .seconds(30), { ledger.hasEventsOfAll ? try await outbox() == 0 : false })) {
      differences.append("30 s after the last answer \(try await outbox()) events are still in the outbox")
    }
    let relayed = ContinuousClock.now
    if !(await crew.end()) { differences.append("a worker ended by itself, or not as it should on SIGTERM") }
    differences += try await remains()
    for consumer in [replies, events] { await consumer.stopTaking() }
    for listener in listeners { await listener.value }
    for consumer in [replies, events] { await consumer.close() }
    differences += ledger.differences(workersDied: kills > 0)
    let totals = ledger.totals
    if kills > 0 && totals.repeatedEvents == 0 && totals.accepted == plan.count && totals.accepted + totals.duplicates == totals.confirmed {
      differences.append("no kill left a trace: each worker that was killed had nothing in hand")
    }
    print(
      """
      acceptance: \(plan.count) orders twice each, seed \(plan.seed), \(Self.workers) workers, \(kills) kills: set up \(work - start), answered \(done - work), \
      outbox \(left) left and empty after \(relayed - done); confirmed \(totals.confirmed), accepted \(totals.accepted), duplicate \(totals.duplicates), \
      events \(totals.events) of which \(totals.repeatedEvents) repeats; \(differences.count) differences
      """)
    return differences
  }

  /// Kills a random worker so many times, each while messages are unanswered, and after a random part of what is on its way is done.
  private func killed(_ kills: Int, _ piece: Int, _ feed: CommandFeed) async throws -> [String] {
    var random = SeededGenerator(seed: plan.seed &+ 1)
    var done = 0
    while done < kills {
      let processed = try await processedCommands()
      let ahead = Int64(feed.ordersWithinLimit) - processed
      let threshold = processed + Int64(Double(max(ahead, 0)) * Double.random(in: 0.05...0.5, using: &random))
      guard try await eventually(within: deadline.remaining, { try await processedCommands() >= threshold }) else {
        return ["kill \(done + 1): still \(try await processedCommands()) commands processed, \(threshold) expected"]
      }
      let unanswered = ledger.unanswered
      if unanswered > 0 {
        done += 1
        let index = Int.random(in: 0..<Self.workers, using: &random)
        print("acceptance: kill \(done) of worker \(index) at \(threshold) processed, \(unanswered) messages unanswered")
        guard await crew.kill(index) else { return ["kill \(done): the new worker did not connect"] }
      } else if feed.limit > 2 * plan.count {
        return ["only \(done) of \(kills) kills fell into the work"]
      }
      feed.raise(by: piece)
    }
    return []
  }

  private func outbox() async throws -> Int64 { try await world.number("SELECT count(*) FROM outbox") }
  private func processedCommands() async throws -> Int64 { try await world.number("SELECT count(*) FROM processed_commands") }

  /// What the servers hold at the end and should not, or should and do not.
  private func remains() async throws -> [String] {
    var differences: [String] = []
    let count = Int64(plan.count)
    for table in [
      "processed_commands WHERE outcome = 'accepted'", "processed_commands", "orders WHERE status = 'pending' AND version = 1", "orders", "order_history",
      "reservations WHERE state = 'held'", "audit_log WHERE action = 'order.create' AND outcome = 'accepted'",
    ] {
      let found = try await world.number("SELECT count(*) FROM \(table)")
      if found != count { differences.append("\(found) rows instead of \(count): \(table)") }
    }
    let stock = try await world.stock()
    for (product, quantity) in plan.ordered where stock[product] != .init(onHand: quantity, reserved: quantity) {
      differences.append("\(product): ordered \(quantity), but \(stock[product].map { "\($0)" } ?? "no row")")
    }
    for queue in ["commands", "retry.1s", "retry.5s", "retry.30s", "retry.2m", "retry.10m", "dead-letter"] {
      // What a closed connection had in hand is ready again a moment after.
      if !(try await eventually(within: .seconds(10), { try await world.depth(queue) == 0 })) {
        differences.append("\(try await world.depth(queue)) messages in \(queue)")
      }
    }
    return differences
  }
}
