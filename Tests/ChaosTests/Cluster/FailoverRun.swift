import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport

/// A worker at work on a steady flow while servers fail over, and the comparison of what was confirmed, answered and told with the database.
struct FailoverRun: Sendable {
  struct Fault: Sendable {
    let name: String
    let at: Date
    /// How long it was before a server could serve again, which no worker can shorten.
    var outage = Duration.zero
  }

  let world: ProductWorld
  let feed: SteadyFeed
  let ledger = FlowLedger()
  let deadline: Deadline
  private let plan: OrderPlan
  private let rate: Int

  init(_ world: ProductWorld, commands: Int, rate: Int) {
    self.world = world
    self.rate = rate
    plan = OrderPlan(count: commands, seed: 1)
    feed = SteadyFeed(world, plan, ledger, rate: rate)
    deadline = .after(.seconds(360 + commands / rate))
  }

  private var eventsQueue: String { "\(world.name).ledger" }

  /// `disturb` runs while the commands flow, and tells of each fault when it made it. Returns every difference by name; none is success.
  func differences(_ disturb: @Sendable (FailoverRun) async throws -> [Fault]) async throws -> [String] {
    try await world.setStock(plan.ordered)
    try await declareQueues()
    let listeners = [try listen(to: world.replyQueue) { ledger.replies($0) }, try listen(to: eventsQueue) { ledger.events($0) }]
    let worker = await world.worker()
    guard await world.connections(reach: 1) else { return ["the worker did not connect"] }
    async let fed: Void = feed.run(until: deadline)
    let faults = try await disturb(self)
    try await fed
    var differences: [String] = []
    let settled = await eventually(within: deadline.remaining) {
      try? await Task.sleep(for: .milliseconds(100))
      guard ledger.told == plan.count, await processed() == Int64(plan.count) else { return false }
      return (try? await world.number("SELECT count(*) FROM outbox")) == 0
    }
    if !settled { differences.append("not all was done, or told, by the deadline") }
    if !worker.isRunning { differences.append("the worker ended by itself") }
    await worker.end()
    for (consumer, task) in listeners {
      await consumer.stopTaking()
      await task.value
      await consumer.close()
    }
    differences += try await remains()
    differences += try await gaps(after: faults)
    try await tellUnanswered(faults)
    print("failover: \(ledger.confirmed.count) confirmed, \(ledger.acknowledged) answered, \(ledger.told) told, \(differences.count) differences")
    return differences
  }

  /// Waits until that part of the commands is processed; false where the flow is over before.
  func flows(past part: Double) async -> Bool {
    let goal = Int64(part * Double(plan.count))
    let reached = await eventually(within: deadline.remaining) {
      try? await Task.sleep(for: .milliseconds(50))
      return await processed() >= goal
    }
    return reached && !feed.isOver
  }

  /// 0 also where the database is just failing over.
  private func processed() async -> Int64 { (try? await world.number("SELECT count(*) FROM processed_commands")) ?? 0 }

  private func listen(to queue: String, _ note: @escaping @Sendable ([Delivery]) -> Void) throws -> (consumer: Consumer, task: Task<Void, Never>) {
    let consumer = Consumer(configuration: try world.configuration("listen"), subscription: .queue(queue), prefetch: 2_000)
    return (consumer, Task { await consumer.listen(lost: {}, note) })
  }

  /// Quorum queues: what is in them outlives a node, as that of a connection's own would not.
  private func declareQueues() async throws {
    let (replies, events, exchange) = (world.replyQueue, eventsQueue, "\(world.name).events")
    try await AMQPAdministration.withSession(try world.configuration("declare")) { session throws(AMQPError) in
      for queue in [replies, events] { try session.declareQueue(queue, arguments: [Header(name: "x-queue-type", value: .string("quorum"))]) }
      try session.bind(queue: events, exchange: exchange, routingKey: "#")
    }
  }

  func removeQueues() async throws {
    let queues = [world.replyQueue, eventsQueue]
    try await AMQPAdministration.withSession(try world.configuration("remove")) { session throws(AMQPError) in
      for queue in queues { try session.deleteQueue(queue) }
    }
  }

  private func remains() async throws -> [String] {
    var differences = ledger.differences(
      from: try await world.texts("SELECT c.message_id, o.order_id::text FROM processed_commands c JOIN orders o USING (order_id) WHERE c.outcome = 'accepted'")
    )
    for table in ["processed_commands", "orders", "order_history", "reservations WHERE state = 'held'"] {
      let found = try await world.number("SELECT count(*) FROM \(table)")
      if found != Int64(plan.count) { differences.append("\(found) rows instead of \(plan.count): \(table)") }
    }
    let stock = try await world.stock()
    for (product, quantity) in plan.ordered where stock[product] != .init(onHand: quantity, reserved: quantity) {
      differences.append("\(product): ordered \(quantity), but \(stock[product].map { "\($0)" } ?? "no row")")
    }
    let dead = try await world.depth("dead-letter")
    if dead != 0 { differences.append("\(dead) dead letters") }
    return differences
  }

  /// Replies are sent once and without confirms, so that some may be lost with a node: says how many, and when their commands were done.
  private func tellUnanswered(_ faults: [Fault]) async throws {
    let times = try await world.texts("SELECT message_id, (extract(epoch FROM processed_at) * 1000)::bigint::text FROM processed_commands")
    let unanswered = times.filter { !ledger.isAnswered($0.key) }.compactMap { Int64($0.value) }
    for (index, fault) in faults.enumerated() {
      let first = Int64(fault.at.timeIntervalSince1970 * 1_000)
      let last = index + 1 < faults.count ? Int64(faults[index + 1].at.timeIntervalSince1970 * 1_000) : .max
      let these = unanswered.filter { $0 >= first - 1_000 && $0 < last - 1_000 }.map { $0 - first }
      if let min = these.min(), let max = these.max() {
        print("failover: \(fault.name): \(these.count) replies did not come, to commands done \(min) to \(max) ms after it")
      }
    }
  }

  /// The longest time without a processed command from each fault to the next one: 5 s at most beyond the outage.
  private func gaps(after faults: [Fault]) async throws -> [String] {
    let times = try await world.numbers("SELECT DISTINCT (extract(epoch FROM processed_at) * 1000)::bigint FROM processed_commands").sorted()
    var differences: [String] = []
    for (index, fault) in faults.enumerated() {
      let end = index + 1 < faults.count ? faults[index + 1].at : .distantFuture
      let (first, last) = (Int64(fault.at.timeIntervalSince1970 * 1_000), end == .distantFuture ? Int64.max : Int64(end.timeIntervalSince1970 * 1_000))
      // The pause may have begun with the last batch before the fault.
      let pauses = zip(times, times.dropFirst()).filter { $1 > first && $0 < last }.map { $1 - max($0, first) }
      guard let longest = pauses.max() else {
        differences.append("\(fault.name): nothing was processed after it")
        continue
      }
      let confirms = ledger.longestConfirmPause(endingIn: DateInterval(start: fault.at, end: end))
      print("failover: \(fault.name): longest time without a processed command \(longest) ms, without a confirm \(confirms), outage \(fault.outage)")
      if .milliseconds(longest) > .seconds(5) + fault.outage { differences.append("\(fault.name): \(longest) ms without a processed command") }
    }
    return differences
  }
}
