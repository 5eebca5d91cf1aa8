import Application
import ClientRuntime
import PostgresClient

/// A row of `leases`.
struct PostgresLease: Sendable {
  let name: String

  func take(_ session: PostgresSession, holder: String, for duration: Duration) throws(PostgresError) -> Bool {
    try session.query(Self.take, Parameters([.text(name), .text(holder), .int64(duration.components.seconds)])).rowCount == 1
  }

  func giveBack(_ session: PostgresSession, holder: String) throws(PostgresError) {
    _ = try session.query(Self.giveBack, Parameters([.text(name), .text(holder)]))
  }

  private static let take = Statement(
    name: "lease_take",
    sql: """
      INSERT INTO leases AS l (name, holder, expires_at) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
      ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
      WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
      RETURNING holder
      """, parameterTypes: [.text, .text, .int8])

  private static let giveBack = Statement(
    name: "lease_give_back", sql: "DELETE FROM leases WHERE name = $1 AND holder = $2", parameterTypes: [.text, .text])
}

extension PostgresClient {
  /// Runs a job that nobody waits for for long: a connection that is just being made is waited for, one that is away is not.
  func runIfConnected<T: Sendable>(
    within deadline: Duration, _ job: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T
  ) async throws(StoreError) -> T {
    let connected = state.isConnected ? true : await waitUntilConnected(deadline: .after(.seconds(2)))
    guard connected else { throw .unavailable("not connected to PostgreSQL") }
    do {
      return try await run(deadline: .after(deadline), job)
    } catch {
      throw StoreError(error)
    }
  }
}
