import ClientRuntime
import Glibc
import PostgresClient
import RabbitMQClient

/// The built product with a world of its own on the stack's servers: prefix, schema, cache keys, workers, clients.
package struct ProductWorld: Sendable {
  /// Prefix of queues and exchanges, database schema and prefix of cache keys, all in one.
  package let name: String
  private let settings: [String: String]
  package let database: PostgresClient
  /// Who sends commands; nil where the worker asks nobody.
  private let senders: Senders?

  /// Where `ORDER_WORKER_EXECUTABLE` says, else beside the tests.
  package static let executable: String = {
    if let path = getenv("ORDER_WORKER_EXECUTABLE") { return String(cString: path) }
    var buffer = [CChar](repeating: 0, count: 4_096)
    let length = readlink("/proc/self/exe", &buffer, buffer.count)
    let own = String(decoding: buffer.prefix(max(length, 0)).map(UInt8.init(bitPattern:)), as: UTF8.self)
    return own.prefix(upTo: own.lastIndex(of: "/") ?? own.endIndex) + "/order-worker"
  }()

  /// Set up, without a worker. `settings` are `ORDERS_*` variables over those of the stack. Where its senders show tokens, they are this world's from then
  /// on, and go with it.
  package static func make(
    _ settings: [String: String] = [:], senders: Senders? = nil, executable: String = Self.executable
  ) async throws -> ProductWorld {
    let name = Stack.uniqueName("w")
    var all = [
      "ORDERS_AMQP_URL": settings["ORDERS_AMQP_URL"] ?? Stack.amqpURL, "ORDERS_DATABASE_URL": settings["ORDERS_DATABASE_URL"] ?? Stack.databaseURL,
      "ORDERS_REDIS_URL": settings["ORDERS_REDIS_URL"] ?? Stack.redisURL, "ORDERS_PREFIX": name,
      "ORDERS_DATABASE_SCHEMA": name, "ORDERS_REDIS_PREFIX": name, "ORDERS_AUTH": "off", "ORDERS_HTTP_PORT": "0", "ORDERS_LOG_LEVEL": "info",
      // Dead letters stay in their queue, where a test that is not about their store sees them.
      "ORDERS_ROLES": "commands,queries,payments,outbox,housekeeping",
      // Before the name that the program gives itself: PostgreSQL's log and activity tell this world's connections by it.
      "PGAPPNAME": name,
    ]
    all.merge(settings) { $1 }
    if let senders { all.merge(senders.settings) { $1 } }
    let world = ProductWorld(
      name: name, settings: all,
      database: PostgresClient(configuration: try PostgresConfiguration(url: all["ORDERS_DATABASE_URL"]!, applicationName: "tests", schema: name)),
      senders: senders)
    guard await world.command(["setup"], executable: executable) else { throw Failure(description: "setup failed: \(world.log)") }
    return world
  }

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// Where everything that its processes print goes.
  package var log: String { "/tmp/order-worker-test-\(name).log" }

  /// Runs a command of the program, of this version or another, to its end; true where it exited with 0.
  package func command(_ arguments: [String], executable: String = Self.executable) async -> Bool {
    await ServerProcess.run(line(arguments, executable), log: log)
  }

  /// `variables` are this worker's own, such as its failpoint.
  package func worker(_ arguments: [String] = ["run"], variables: [String] = [], executable: String = Self.executable) async -> ServerProcess {
    await ServerProcess.start(line(arguments, executable, variables: variables), log: log)
  }

  private func line(_ arguments: [String], _ executable: String, variables: [String] = []) -> [String] {
    ["env"] + variables + settings.map { "\($0.key)=\($0.value)" }.sorted() + [executable] + arguments
  }

  package func setStock(_ quantities: [String: Int64]) async throws {
    var products = TextArray()
    var onHand = Int64Array()
    for (product, quantity) in quantities {
      products.append(product)
      onHand.append(quantity)
    }
    let parameters: Parameters = [.array(products), .array(onHand)]
    try await database.run(deadline: .after(.seconds(30))) { session throws(PostgresError) in
      _ = try session.query(
        Statement(
          name: "set_stock",
          sql: """
            INSERT INTO inventory (tenant_id, product_id, on_hand) SELECT 'default', p, q FROM unnest($1::text[], $2::bigint[]) AS x (p, q)
            ON CONFLICT (tenant_id, product_id) DO UPDATE SET on_hand = excluded.on_hand
            """, parameterTypes: [.textArray, .int8Array]), parameters)
    }
  }

  /// The one number that a query gives: `SELECT count(*) FROM orders WHERE …`.
  package func number(_ sql: String) async throws -> Int64 {
    try await database.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      let rows = try session.query(Statement(name: "number-\(sql.hashValue)", sql: "SELECT (\(sql))::bigint"))
      return rows.isNull(0, 0) ? 0 : rows.int64(0, 0)
    }
  }

  package func configuration(_ purpose: String) throws -> ConnectionConfiguration {
    try ConnectionConfiguration(url: settings["ORDERS_AMQP_URL"]!, name: "tests \(purpose) \(name)", connectTimeout: .seconds(20))
  }

  package func publisher() throws -> Publisher { Publisher(configuration: try configuration("publish")) }

  /// All that comes to the events exchange from now on, once its state is connected.
  package func events() throws -> Consumer {
    Consumer(
      configuration: try configuration("events"), subscription: .exclusive(name: "", bindings: [(exchange: "\(name).events", routingKey: "#")]), prefetch: 2_000
    )
  }

  /// A queue for replies, `reply.<name>`, as upstream services have theirs.
  package var replyQueue: String { "reply.\(name)" }
  package func replies() throws -> Consumer {
    Consumer(configuration: try configuration("replies"), subscription: .exclusive(name: replyQueue), prefetch: 2_000)
  }

  /// A command as an upstream service publishes it.
  package func publication(
    _ body: [UInt8], id: String?, type: String = "order.create", change: (inout Publication) -> Void = { _ in }
  ) -> Publication {
    var properties = MessageProperties()
    properties.type = type
    properties.messageID = id
    properties.correlationID = id
    properties.contentType = "application/json"
    properties.deliveryMode = 2
    properties.replyTo = replyQueue
    if let token = senders?.tokens.randomElement() { properties.headers = [Header(name: "authorization", value: .string("Bearer \(token)"))] }
    var publication = Publication(exchange: "\(name).commands", routingKey: type, mandatory: true, properties: properties, body: body)
    change(&publication)
    return publication
  }

  /// The body of an `order.create`.
  package static func create(_ lines: [(product: String, quantity: Int64)], customer: String = "customer-1") -> [UInt8] {
    let items = lines.map { #"{"product_id":"\#($0.product)","quantity":\#($0.quantity),"unit_price":"9.99"}"# }.joined(separator: ",")
    return Array(#"{"customer_id":"\#(customer)","currency":"USD","items":[\#(items)]}"#.utf8)
  }

  /// How many messages are ready in one of the world's queues, such as `commands` or `dead-letter`.
  package func depth(_ queue: String) async throws -> Int {
    let name = "\(name).\(queue)"
    return try await AMQPAdministration.withSession(try configuration("look")) { session throws(AMQPError) in Int(try session.depth(of: name)?.messages ?? 0) }
  }

  /// Removes its queues, exchanges and schema. Its log stays where the test failed.
  package func remove() async throws {
    let prefix = name
    try await AMQPAdministration.withSession(try configuration("remove")) { session throws(AMQPError) in
      for queue in ["commands", "queries", "dead-letter", "retry.1s", "retry.5s", "retry.30s", "retry.2m", "retry.10m"] {
        try session.deleteQueue("\(prefix).\(queue)")
      }
      for exchange in ["commands", "queries", "events"] { try session.deleteExchange("\(prefix).\(exchange)") }
    }
    try await removeDatabase()
  }

  /// Removes its schema and its log only, where the broker is gone already.
  package func removeDatabase() async throws {
    let prefix = name
    try await database.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      try session.execute("SET client_min_messages = warning; DROP SCHEMA \"\(prefix)\" CASCADE")
    }
    await database.close()
    senders?.remove()
    unlink(log)
  }
}
