import Application
import Domain
import PostgresClient

/// Rows of `delivery_trials`.
package struct PostgresTrialNotes: TrialNotes {
  private let client: PostgresClient
  private let deadline: Duration

  package init(client: PostgresClient, deadline: Duration = .seconds(5)) {
    self.client = client
    self.deadline = deadline
  }

  package func begin(_ key: TrialKey, life: UUIDValue) async throws(StoreError) -> Int {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      _ = try session.query(Self.begin, Parameters([.bytes(key.bytes), .uuid(high: life.high, low: life.low)]))
      return Int(try session.query(Self.others, Parameters([.bytes(key.bytes), .uuid(high: life.high, low: life.low)])).int64(0, 0))
    }
  }

  package func end(_ key: TrialKey, life: UUIDValue) async throws(StoreError) {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      _ = try session.query(Self.end, Parameters([.bytes(key.bytes), .uuid(high: life.high, low: life.low)]))
    }
  }

  private static let begin = Statement(
    name: "trial_begin",
    sql: "INSERT INTO delivery_trials (message, life) VALUES ($1, $2) ON CONFLICT (message, life) DO UPDATE SET began_at = clock_timestamp()",
    parameterTypes: [.bytea, .uuid])

  private static let others = Statement(
    name: "trial_others", sql: "SELECT count(*) FROM delivery_trials WHERE message = $1 AND life <> $2", parameterTypes: [.bytea, .uuid])

  private static let end = Statement(
    name: "trial_end", sql: "DELETE FROM delivery_trials WHERE message = $1 AND life = $2", parameterTypes: [.bytea, .uuid])
}
