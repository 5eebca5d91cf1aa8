import Application
import ClientRuntime
import PostgresClient

/// What one worker at a time does, by a row of `leases`.
protocol PostgresLeadership: Leadership {
  static var leaseName: String { get }
  var client: PostgresClient { get }
  /// For one statement.
  var deadline: Duration { get }
}

extension PostgresLeadership {
  package func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let parameters = Parameters([.text(Self.leaseName), .text(holder), .int64(duration.components.seconds)])
      return try session.query(PostgresLease.take, parameters).rowCount == 1
    }
  }

  package func release(holder: String) async throws(StoreError) {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      _ = try session.query(PostgresLease.giveBack, Parameters([.text(Self.leaseName), .text(holder)]))
    }
  }
}

private enum PostgresLease {
  static let take = Statement(
    name: "lease_take",
    sql: """
      INSERT INTO leases AS l (name, holder, expires_at) VALUES ($1, $2, clock_timestamp() + $3 * interval '1 second')
      ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, expires_at = excluded.expires_at
      WHERE l.holder = excluded.holder OR l.expires_at < clock_timestamp()
      RETURNING holder
      """, parameterTypes: [.text, .text, .int8])

  static let giveBack = Statement(
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
