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
    /// Names of the months' tables, the oldest first.
    package var months: [String] = []
    package var rows: Int64 = 0
  }

  /// Of all tenants: everything before the month that is `months` before that of `now`, in UTC.
  ///
  /// The last row's hash of each chain stays, for what is left to follow, and is told in rows of the log itself. With `isTrial` nothing is changed.
  package func drop(keeping months: Int, by actor: String, at now: Timestamp, isTrial: Bool) async throws(PostgresError) -> Dropped {
    let (schema, trail) = (schema, trail)
    return try await client.run(deadline: .after(.seconds(86_400))) { session throws(PostgresError) in
      try session.execute(
        """
        BEGIN;
        SELECT pg_advisory_xact_lock(hashtext('order-worker setup'), hashtext(current_database()));
        SET LOCAL search_path = \(schema.quotedIdentifier)
        """)
      let cut = Parameters([.timestamp(now.microseconds), .int64(Int64(months))])
      var dropped = Dropped(rows: try session.query(Self.count, cut).int64(0, 0))
      let old = try session.query(Self.oldMonths, cut)
      for row in 0..<old.rowCount { dropped.months.append(old.text(row, 0)) }
      if isTrial || dropped.rows == 0 && dropped.months.isEmpty {
        try session.execute("ROLLBACK")
        return dropped
      }
      _ = try session.pipeline {
        $0.append(Self.keepHeads, cut)
        $0.append(Self.forgetHeads)
      }
      let kept = try session.query(Self.keptHeads)
      var heads: [AuditAnchor.Head] = []
      for row in 0..<kept.rowCount {
        heads.append(AuditAnchor.Head(chain: kept.uuidValue(row, 0), sequence: kept.int64(row, 1), hash: kept.bytes(row, 2)))
      }
      let what = "\(dropped.rows) rows before the last \(months) months"
      // What had no month of its own lies in the default partition. The months' tables come last, for nobody can write while one goes.
      _ = try session.query(Self.deleteUnsorted, cut)
      try session.execute("SET LOCAL lock_timeout = '2s'")
      for month in dropped.months { try session.execute("DROP TABLE \(month.quotedIdentifier)") }
      let texts = heads.isEmpty ? [""] : AuditAnchor.texts(heads)
      try trail.commit(texts.map { AuditEntry(dropping: what, heads: $0, by: actor, at: now) }, session)
      return dropped
    }
  }

  private static let cut = "((date_trunc('month', $1::timestamptz AT TIME ZONE 'UTC') - make_interval(months => $2::int)) AT TIME ZONE 'UTC')"
  private static let types: [OID] = [.timestamptz, .int8]

  private static let count = Statement(name: "audit_old_count", sql: "SELECT count(*) FROM audit_log WHERE at < \(cut)", parameterTypes: types)

  private static let oldMonths = Statement(
    name: "audit_old_months",
    sql: """
      SELECT relname FROM (
        SELECT c.relname, to_date(substring(c.relname FROM '^audit_log_(\\d{4}_\\d{2})$'), 'YYYY_MM') AS month
        FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'audit_log'::regclass
      ) AS months
      WHERE month < (\(cut) AT TIME ZONE 'UTC')::date ORDER BY month
      """, parameterTypes: types)

  private static let keepHeads = Statement(
    name: "audit_keep_heads",
    sql: """
      INSERT INTO audit_dropped (chain_id, seq, hash)
      SELECT DISTINCT ON (chain_id) chain_id, seq, hash FROM audit_log WHERE at < \(cut) ORDER BY chain_id, seq DESC
      ON CONFLICT (chain_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash WHERE excluded.seq > audit_dropped.seq
      """, parameterTypes: types)

  /// Of chains that are gone as a whole: nothing grows on them any more.
  private static let forgetHeads = Statement(
    name: "audit_forget_heads",
    sql: "DELETE FROM audit_heads h USING audit_dropped d WHERE d.chain_id = h.chain_id AND d.seq = h.seq AND d.hash = h.hash")

  private static let keptHeads = Statement(name: "audit_kept_heads", sql: "SELECT chain_id, seq, hash FROM audit_dropped ORDER BY chain_id")

  private static let deleteUnsorted = Statement(
    name: "audit_delete_unsorted", sql: "DELETE FROM audit_log_default WHERE at < \(cut)", parameterTypes: types)
}
