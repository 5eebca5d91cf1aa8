import Application
import Domain
import PostgresClient

/// Counts what waits, over the indexes that hold no more than that.
package struct PostgresBacklog: BacklogReader {
  private let client: PostgresClient

  package init(client: PostgresClient) { self.client = client }

  package func backlog() async throws(StoreError) -> Backlog {
    try await client.runIfConnected(within: .seconds(5)) { session throws(PostgresError) in
      func entry(_ rows: ResultSet, _ row: Int, _ column: Int) -> Backlog.Entry {
        Backlog.Entry(count: rows.int64(row, column), oldest: .milliseconds(rows.int64(row, column + 1)))
      }
      let waiting = try session.query(Self.waiting, [.int64(Backlog.mostCounted)])
      var backlog = Backlog(outbox: entry(waiting, 0, 0), payments: entry(waiting, 0, 2), parked: waiting.int64(0, 4))
      let rows = try session.query(Self.statuses, [.int64(Backlog.mostCounted)])
      for row in 0..<rows.rowCount {
        guard let status = OrderStatus(rawValue: rows.text(row, 0)) else { continue }
        backlog.inStatus[status] = entry(rows, row, 1)
      }
      return backlog
    }
  }

  private static let waiting = Statement(
    name: "backlog_waiting",
    sql: """
      SELECT (SELECT count(*) FROM (SELECT FROM outbox LIMIT $1) AS o),
             coalesce((SELECT extract(epoch FROM clock_timestamp() - min(created_at)) * 1000 FROM outbox), 0)::bigint,
             (SELECT count(*) FROM (SELECT FROM payments WHERE state = 'open' LIMIT $1) AS p),
             coalesce((SELECT extract(epoch FROM clock_timestamp() - min(opened_at)) * 1000 FROM payments WHERE state = 'open'), 0)::bigint,
             (SELECT count(*) FROM (SELECT FROM dead_letters WHERE state IN ('parked', 'replaying') AND state = 'parked' LIMIT $1) AS d)
      """, parameterTypes: [.int8])

  /// The statuses by name, one by one: only so does the planner see that the index over open orders serves.
  private static let statuses = Statement(
    name: "backlog_statuses",
    sql: ["pending", "confirmed", "on_hold", "processing", "shipped"].map { status in
      """
      SELECT '\(status)',
             (SELECT count(*) FROM (SELECT FROM orders o WHERE o.status = '\(status)' LIMIT $1) AS n),
             coalesce((SELECT extract(epoch FROM clock_timestamp() - min(o.status_since)) * 1000 FROM orders o WHERE o.status = '\(status)'), 0)::bigint
      """
    }.joined(separator: "\nUNION ALL\n"), parameterTypes: [.int8])
}
