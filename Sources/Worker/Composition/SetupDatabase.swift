import ClientRuntime
import PostgresAdapter
import PostgresClient

/// A connection to PostgreSQL for as long as one command of the operator takes.
enum SetupDatabase {
  /// What is answered is on disk, and on the synchronous standby where there is one, whatever the user's or the database's own setting is.
  static let durable = "synchronous_commit=on"

  /// Waits up to `wait` for a connection, which takes the role where the database has it; nil stays whoever logs in. Statements may take longer than in the worker: a migration does, and waits for another's.
  static func withClient<T: Sendable>(
    _ configuration: Configuration, as role: DatabaseRole?, wait: Duration, settings: [String] = [], _ body: @Sendable (PostgresClient) async throws -> T
  ) async throws -> T {
    let client = PostgresClient(
      configuration: try PostgresConfiguration(
        url: configuration[.databaseURL], applicationName: "order-worker", schema: configuration[.databaseSchema],
        role: role?.name(schema: configuration[.databaseSchema]), settings: settings + [durable],
        statementTimeout: .seconds(600), lockTimeout: .seconds(60)))
    let result: Result<T, any Error>
    do {
      if await !client.waitUntilConnected(deadline: .after(wait)) { throw PostgresError.unavailable(reason(client.state)) }
      result = .success(try await body(client))
    } catch {
      result = .failure(error)
    }
    await client.close()
    return try result.get()
  }

  /// With a hint where there is an obvious one.
  static func sentence(_ error: any Error) -> String {
    guard let error = error as? PostgresError else { return "\(error)" }
    switch error.sqlState {
    case "42501": return "\(error) (ORDERS_DATABASE_URL's user lacks a right)"
    default: return "\(error)"
    }
  }

  private static func reason(_ state: ConnectionState) -> String {
    if case .disconnected(let reason) = state { reason } else { "no connection in time" }
  }
}
