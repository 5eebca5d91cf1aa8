import ClientRuntime
import Foundation
import PostgresClient
import RabbitMQAdapter
import RabbitMQClient
import TestSupport

/// A prefix and a schema of a test's own on the running stack, for the built executable.
struct ServerWorld {
  let prefix = Stack.uniqueName()
  let environment: [String: String]

  static let isThere = ProcessInfo.processInfo.environment["STACK_AMQP_URL"] != nil && Stack.database != nil

  /// `settings` are `ORDERS_*` variables over those of every world.
  init(_ settings: [String: String] = [:]) {
    let prefix = prefix
    environment = [
      "ORDERS_AMQP_URL": Stack.amqpURL, "ORDERS_DATABASE_URL": Stack.databaseURL, "ORDERS_PREFIX": prefix, "ORDERS_DATABASE_SCHEMA": prefix,
      "ORDERS_AUTH": "off", "ORDERS_HTTP_PORT": "0",
    ].merging(settings) { $1 }
  }

  func run(_ arguments: String..., input: String? = nil) async throws -> Program.Result {
    try await Program.run(arguments, environment: environment, input: input)
  }

  func start(_ arguments: String..., files: Program.Files) throws -> Process {
    try Program.start(arguments, environment: environment, files: files)
  }

  var connection: ConnectionConfiguration { get throws { try ConnectionConfiguration(url: Stack.amqpURL, name: "worker tests") } }

  /// Runs SQL in the world's schema.
  func sql(_ text: String) async throws {
    let client = PostgresClient(configuration: try PostgresConfiguration(url: Stack.databaseURL, schema: prefix))
    try await client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in try session.execute(text) }
    await client.close()
  }

  /// The one number that a query gives; 0 for null.
  func number(_ query: String) async throws -> Int64 { Int64(try await texts("SELECT (\(query))::bigint")[0]) ?? 0 }

  /// The one text that a query gives; empty for null.
  func text(_ query: String) async throws -> String { try await texts(query)[0] }

  /// Names of the tables that have this text in some row, be it in bytes as PostgreSQL writes them.
  func tables(holding text: String) async throws -> [String] {
    let all = "SELECT relname::text FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
    let looks = try await texts(all).map { "SELECT '\($0)' WHERE EXISTS (SELECT FROM \($0) AS t WHERE t::text LIKE '%\(text)%')" }
    return try await texts(looks.joined(separator: " UNION ALL "))
  }

  /// The first column of each row, in PostgreSQL's own text.
  private func texts(_ query: String) async throws -> [String] {
    let client = PostgresClient(configuration: try PostgresConfiguration(url: Stack.databaseURL, schema: prefix))
    let result: Result<[String], any Error>
    do {
      result = .success(
        try await client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in
          let rows = try session.query(Statement(name: "texts", sql: "SELECT q.first::text FROM (\(query)) AS q (first)", parameterTypes: []), [])
          return (0..<rows.rowCount).map { rows.isNull($0, 0) ? "" : rows.text($0, 0) }
        })
    } catch {
      result = .failure(error)
    }
    await client.close()
    return try result.get()
  }

  func remove() async throws {
    let topology = Topology(prefix: prefix)
    try await AMQPAdministration.withSession(try connection) { session throws(AMQPError) in
      for queue in topology.queues { try session.deleteQueue(queue.name) }
      for exchange in topology.exchanges { try session.deleteExchange(exchange) }
    }
    try await sql("SET client_min_messages = warning; DROP SCHEMA IF EXISTS \(prefix) CASCADE")
  }

  /// Runs a test in a world that is set up, and removes it afterwards.
  static func with(_ settings: [String: String] = [:], _ body: (ServerWorld) async throws -> Void) async throws {
    let world = ServerWorld(settings)
    let result: Result<Void, any Error>
    do {
      _ = try await world.run("setup")
      result = .success(try await body(world))
    } catch {
      result = .failure(error)
    }
    try await world.remove()
    try result.get()
  }
}
