import ClientRuntime
import RabbitMQClient
import TestSupport
import Testing

/// Bad input beside good in one burst: each as the contract says, the worker lives on, and the good ones are done once.
@Suite struct HostileInputTests {
  @Test(.timeLimit(.minutes(5))) func badInputBesideGoodIsTurnedAwayWithItsReasonAndTheGoodIsDoneOnce() async throws {
    let world = try await ProductWorld.make()
    let burst = HostileBurst(prefix: world.name).messages
    try await world.setStock(Dictionary(uniqueKeysWithValues: (0..<201).map { ("p\($0)", Int64(1_000_000)) }))
    try await Self.declareForbiddenQueue(of: world)
    let replies = await DeliveryLog(try world.replies())
    let events = await DeliveryLog(try world.events())
    // All of it waits before the worker starts, so that bad and good come in the same batches.
    try await Self.publish(burst, world)
    let worker = await world.worker()
    let deadLetters = await DeliveryLog(try Self.deadLetters(of: world))

    let bad = burst.filter { if case .deadLettered = $0.expectation { true } else { false } }
    let good = burst.filter { if case .accepted = $0.expectation { true } else { false } }
    let answered = burst.filter { $0.answeredAs != nil }
    let done = await eventually(within: .seconds(90)) {
      deadLetters.count >= bad.count && replies.count >= answered.count && events.count >= good.count
    }
    #expect(
      done,
      """
      dead letters \(deadLetters.count) of \(bad.count), replies \(replies.count) of \(answered.count), events \(events.count) of \(good.count)
      missing: \(Self.missing(bad, deadLetters.all.map(\.delivery))) \(world.logTail())
      """)

    Self.expectDeadLetters(of: bad, deadLetters.all.map(\.delivery))
    Self.expectReplies(to: answered, replies.all.map(\.delivery))
    let created = events.all.compactMap { EventNote($0.delivery) }
    #expect(created.allSatisfy { $0.type == "order.created" } && Set(created.map(\.causationid)).count == good.count && created.count == good.count)

    for message in good {
      let total = try await world.number(
        "SELECT sum(total_minor) FROM orders JOIN processed_commands USING (tenant_id, order_id) WHERE message_id = \(Self.literal(message))")
      #expect(total == message.total, "\(message.name)")
    }
    #expect(try await world.number("SELECT count(*) FROM processed_commands WHERE outcome = 'accepted'") == Int64(good.count))
    #expect(try await world.number("SELECT count(*) FROM processed_commands") == Int64(good.count))
    #expect(try await world.number("SELECT count(*) FROM orders") == Int64(good.count))
    let swept = try await eventually { try await world.number("SELECT count(*) FROM outbox") == 0 }
    #expect(swept)

    #expect(worker.isRunning, "the worker lives on: \(world.logTail())")
    await worker.end()
    #expect(try await world.depth("commands") == 0, "nothing was left unsettled: \(world.logTail())")
    #expect(try await Self.forbiddenQueue(of: world) { session, queue throws(AMQPError) in try session.depth(of: queue)?.messages ?? 1 } == 0)
    #expect(!world.printed.contains(HostileBurst.token) && world.printed.split(separator: "\n").count { $0.contains("worker starts") } == 1)

    for log in [replies, events, deadLetters] { await log.close() }
    _ = try await Self.forbiddenQueue(of: world) { session, queue throws(AMQPError) in try session.deleteQueue(queue) }
    try await world.remove()
  }

  private static func publish(_ burst: [HostileMessage], _ world: ProductWorld) async throws {
    let publisher = try world.publisher()
    var waiting: [Publication] = []
    func flush() async {
      let outcomes = await publisher.publish(waiting, deadline: .after(.seconds(60)))
      #expect(outcomes.allSatisfy { $0 == .confirmed }, "\(outcomes.filter { $0 != .confirmed })")
      waiting = []
    }
    for message in burst {
      guard let raw = message.raw else {
        waiting.append(message.publication)
        continue
      }
      await flush()
      try await RawPublisher.publish([raw])
    }
    await flush()
    await publisher.close()
  }

  private static func deadLetters(of world: ProductWorld) throws -> Consumer {
    var limits = HeaderLimits()
    limits.entries = 1_000
    return Consumer(
      configuration: try world.configuration("dead letters"), subscription: .queue("\(world.name).dead-letter"), prefetch: 1_000, limits: limits)
  }

  private static func literal(_ message: HostileMessage) -> String {
    "'\((message.publication.properties.messageID ?? message.name).replacing("'", with: "''"))'"
  }

  private static func missing(_ bad: [HostileMessage], _ deliveries: [Delivery]) -> [String] {
    let there = Set(deliveries.compactMap(\.row))
    return bad.map(\.name).filter { !there.contains($0) }
  }

  /// An address that is no queue of the worker's, and not allowed either.
  private static func forbiddenQueue<T: Sendable>(
    of world: ProductWorld, _ body: @escaping @Sendable (AMQPSession, String) throws(AMQPError) -> T
  ) async throws -> T {
    let queue = "forbidden.\(world.name)"
    return try await AMQPAdministration.withSession(try world.configuration("forbidden")) { session throws(AMQPError) in try body(session, queue) }
  }

  private static func declareForbiddenQueue(of world: ProductWorld) async throws {
    try await forbiddenQueue(of: world) { session, queue throws(AMQPError) in try session.declareQueue(queue, arguments: []) }
  }
}

extension Delivery {
  /// Which message of the burst it comes from.
  var row: String? {
    guard case .string(let name)? = header("row") else { return nil }
    return name
  }

  func header(_ name: String) -> FieldValue? { properties.headers.first { $0.name == name }?.value }

  func headerText(_ name: String) -> String? { if case .string(let text)? = header(name) { text } else { nil } }
}
