import ClientRuntime
import PostgresClient
import RabbitMQClient
import TestSupport

/// Hears what a world's workers tell, and looks at what they leave.
struct ChaosWitness: Sendable {
  /// How long anything may wait when nothing breaks any more.
  static let patience = Duration.seconds(60)
  /// Every role, payments whose patience is short enough to be tried, and no order that expires meanwhile.
  static let settings = [
    "ORDERS_ROLES": "commands,queries,payments,outbox,dead-letters,housekeeping", "ORDERS_PAYMENT_TIMEOUT": "2s", "ORDERS_PAYMENT_GIVE_UP": "6s",
    "ORDERS_RESERVATION_TTL": "10h",
  ]
  let world: ProductWorld
  let plan: ChaosPlan
  let ledger = ChaosLedger()

  init(_ world: ProductWorld, _ plan: ChaosPlan) {
    self.world = world
    self.plan = plan
  }

  /// What is said while `body` runs is in the ledger.
  func hear<T: Sendable>(_ body: () async throws -> T) async throws -> T {
    let consumers = try await consumers()
    let listeners = [
      Task { await consumers.replies.listen(lost: {}, ledger.replies) }, Task { await consumers.events.listen(lost: {}, ledger.events) },
    ]
    let result = try await body()
    for consumer in [consumers.replies, consumers.events] { await consumer.stopTaking() }
    for listener in listeners { await listener.value }
    for consumer in [consumers.replies, consumers.events] { await consumer.close() }
    let queues = self.queues
    try await AMQPAdministration.withSession(try world.configuration("chaos")) { session throws(AMQPError) in
      for queue in [queues.replies, queues.events] { try session.deleteQueue(queue) }
    }
    return result
  }

  /// Every queue of this world.
  var declared: [String] {
    [queues.replies, queues.events]
      + ["commands", "queries", "dead-letter", "retry.1s", "retry.5s", "retry.30s", "retry.2m", "retry.10m"].map { "\(world.name).\($0)" }
  }

  private var queues: (replies: String, events: String) { (world.replyQueue, "\(world.name).chaos") }

  /// Durable queues: nothing of what comes to them is lost with a broker that is killed.
  private func consumers() async throws -> (replies: Consumer, events: Consumer) {
    let queues = self.queues
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

  /// Waits until everything was answered and nothing is left over; what is, after that long, is stuck.
  func settle(_ feed: ChaosFeed) async throws -> [String] {
    let settled = await eventually(within: Self.patience) {
      try? await Task.sleep(for: .milliseconds(100))
      return feed.isDone ? (try? await open().isEmpty) ?? false : false
    }
    return settled ? [] : ["stuck: \(feed.waiting); \(try await open())"]
  }

  /// What waits in tables and queues, and should not for long.
  private func open() async throws -> [String] {
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
  func lookAgain() async throws -> [String] {
    let watched = "FROM payments WHERE state = 'unavailable' AND is_unknown"
    guard try await world.number("SELECT count(*) \(watched)") > 0 else { return [] }
    let mark = try await world.number("SELECT floor(extract(epoch FROM clock_timestamp()) * 1000000)")
    try await world.database.run(deadline: .after(.seconds(30))) { session throws(PostgresError) in
      try session.execute("UPDATE payments SET next_attempt_at = to_timestamp(0) WHERE state = 'unavailable' AND is_unknown")
    }
    let looked = await eventually(within: Self.patience) {
      try? await Task.sleep(for: .milliseconds(100))
      let left = try? await world.number("SELECT count(*) \(watched) AND next_attempt_at < to_timestamp(\(mark) / 1000000.0)")
      return left == 0 ? (try? await open().isEmpty) ?? false : false
    }
    return looked ? [] : ["stuck: payments that were given up are not looked up again; \(try await open())"]
  }

  /// All that there is to be held against each other, once the workers have ended.
  func audit(_ provider: [PaymentSandbox.Line]) async throws -> ChaosAudit {
    // What the broker has still on its way to the consumer.
    let versions = try await world.number("SELECT count(*) FROM order_history")
    _ = await eventually(within: .seconds(10)) { ledger.firstEvents >= versions }
    var audit = ChaosAudit(plan: plan, book: ledger.book)
    audit.provider = provider
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
}
