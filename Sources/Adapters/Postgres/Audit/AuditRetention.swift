import Application
import ClientRuntime
import Domain
import PostgresClient

/// Takes months out of the audit log whose time is over, with the rights of whoever owns the tables.
package struct AuditRetention: Sendable {
  private let client: PostgresClient
  private let schema: String
  private let trail = AuditTrail()

  package init(client: PostgresClient, schema: String) {
    self.client = client
    self.schema = schema
  }

  package struct Dropped: Sendable {
    /// Names of the partitions, the oldest first.
    package let partitions: [String]
    package let rows: Int64
  }

  /// Of all tenants: everything before the month that is `months` before this one, in UTC.
  ///
  /// The last row's hash of each chain stays, for what is left to follow. With `isTrial` nothing is changed.
  package func drop(keeping months: Int, by actor: String, at now: Timestamp, isTrial: Bool) async throws(PostgresError) -> Dropped {
    let (schema, trail) = (schema, trail)
    return try await client.run(deadline: .after(.seconds(3_600))) { session throws(PostgresError) in
      try session.execute(
        """
        BEGIN;
        SELECT pg_advisory_xact_lock(hashtext('order-worker setup'), hashtext(current_database()));
        SET LOCAL search_path = \(schema.quotedIdentifier)
        """)
      var partitions: [String] = []
      var rows: Int64 = 0
      let old = try session.query(Self.old, Parameters([.text(schema), .int64(Int64(months))]))
      for row in 0..<old.rowCount {
        let (name, bound) = (old.text(row, 0), old.text(row, 1))
        // The default partition holds whatever had no month of its own: of it only the rows go.
        let condition = bound.isEmpty ? "" : "WHERE at < '\(bound)'"
        try session.execute(
          """
          INSERT INTO audit_dropped (chain_id, seq, hash)
          SELECT DISTINCT ON (chain_id) chain_id, seq, hash FROM \(name.quotedIdentifier) \(condition) ORDER BY chain_id, seq DESC
          ON CONFLICT (chain_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash WHERE excluded.seq > audit_dropped.seq
          """)
        let count = try session.query(
          Statement(name: "audit_count_\(name)", sql: "SELECT count(*) FROM \(name.quotedIdentifier) \(condition)"), []
        ).int64(0, 0)
        if bound.isEmpty { partitions.append(name) }
        rows += count
        try session.execute(bound.isEmpty ? "DROP TABLE \(name.quotedIdentifier)" : "DELETE FROM \(name.quotedIdentifier) \(condition)")
      }
      if isTrial || rows == 0 && partitions.isEmpty {
        try session.execute("ROLLBACK")
      } else {
        let names = partitions.isEmpty ? "audit_log_default" : partitions.joined(separator: " ")
        try trail.commit([AuditEntry("audit.drop", by: actor, in: .standard, at: now, about: "audit-log", before: .note("\(rows) rows in \(names)"))], session)
      }
      return Dropped(partitions: partitions, rows: rows)
    }
  }

  /// Partitions of months that are over, the oldest first, and last the default one with the time before which its rows go.
  private static let old = Statement(
    name: "audit_old_partitions",
    sql: """
      WITH cut AS (SELECT date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => $2::int) AS month),
      partitions AS (
        SELECT c.relname, to_date(substring(c.relname FROM '^audit_log_(\\d{4}_\\d{2})$'), 'YYYY_MM') AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
        WHERE i.inhparent = to_regclass(format('%I.audit_log', $1))
      )
      SELECT p.relname, CASE WHEN p.month IS NULL THEN (cut.month AT TIME ZONE 'UTC')::text ELSE '' END
      FROM partitions p, cut WHERE p.month < cut.month OR p.month IS NULL
      ORDER BY p.month NULLS LAST
      """, parameterTypes: [.text, .int8])
}
