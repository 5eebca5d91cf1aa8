import Application
import ClientRuntime
import Domain
import PostgresClient

/// The audit log as those read it who want to know who did what, and whether it is whole.
package struct PostgresAuditLog: Sendable {
  private let client: PostgresClient

  package init(client: PostgresClient) { self.client = client }

  /// What is asked for; nil: whatever it is.
  package struct Filter: Sendable {
    package var order: OrderID?
    package var actor: String?
    package var action: String?
    package var outcome: String?
    package var message: String?
    package var since: Timestamp?
    package init() {}
  }

  package struct Entry: Sendable {
    package let at: Timestamp
    package let actor: String
    package let action: String
    package let messageID: String
    package let order: OrderID?
    package let outcome: String
    package let correlationID: String
    package let traceparent: String?
    package let before: String?
    package let after: String?
    package let chain: UUIDValue
    package let sequence: Int64
  }

  /// The newest first, at most `limit`.
  package func newest(_ filter: Filter, tenant: TenantID, limit: Int) async throws(PostgresError) -> [Entry] {
    let parameters = Parameters([
      .text(tenant.rawValue), filter.order.map { .uuid(high: $0.high, low: $0.low) } ?? .null, filter.actor.map { .text($0) } ?? .null,
      filter.action.map { .text($0) } ?? .null, filter.outcome.map { .text($0) } ?? .null, filter.message.map { .text($0) } ?? .null,
      filter.since.map { .timestamp($0.microseconds) } ?? .null, .int64(Int64(limit)),
    ])
    return try await client.run(deadline: .after(.seconds(600))) { session throws(PostgresError) in
      let rows = try session.query(Self.newest, parameters, of: [tenant])
      return (0..<rows.rowCount).map { row in
        let content = Self.content(rows, row)
        return Entry(
          at: Timestamp(microseconds: content.at), actor: content.actor, action: content.action, messageID: content.message,
          order: content.order.map { OrderID(high: $0.high, low: $0.low) }, outcome: content.outcome, correlationID: content.correlationID,
          traceparent: content.traceparent, before: content.before, after: content.after, chain: content.chain, sequence: content.sequence)
      }
    }
  }

  /// Reads all of it, as it is at one moment.
  package func verify() async throws(PostgresError) -> AuditVerifier {
    try await client.run(deadline: .after(.seconds(86_400))) { session throws(PostgresError) in
      try session.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
      var verifier = AuditVerifier(heads: try Self.heads(session, of: "audit_heads"), dropped: try Self.heads(session, of: "audit_dropped"))
      try Self.each(session, "WHERE action IN ('\(AuditEntry.anchor)', '\(AuditEntry.drop)') AND outcome = 'accepted'") { verifier.anchor($0) }
      try Self.each(session, "ORDER BY chain_id, seq, at") { verifier.take($0) }
      try session.execute("COMMIT")
      verifier.finish()
      return verifier
    }
  }

  private static let columns = """
    chain_id, seq, at, tenant_id, actor, action, message_id, order_id, outcome, correlation_id, traceparent, before, after, prev_hash, hash
    """

  private static let newest = Statement(
    name: "audit_newest",
    sql: """
      SELECT \(columns) FROM audit_log
      WHERE tenant_id = $1 AND ($2::uuid IS NULL OR order_id = $2) AND ($3::text IS NULL OR actor = $3) AND ($4::text IS NULL OR action = $4)
        AND ($5::text IS NULL OR outcome = $5) AND ($6::text IS NULL OR message_id = $6) AND ($7::timestamptz IS NULL OR at >= $7)
        -- Nobody did these, and there is one a minute.
        AND (action <> '\(AuditEntry.anchor)' OR $4 = '\(AuditEntry.anchor)')
      ORDER BY at DESC, chain_id, seq DESC LIMIT $8
      """, parameterTypes: [.text, .uuid, .text, .text, .text, .text, .timestamptz, .int8])

  private static func heads(_ session: PostgresSession, of table: String) throws(PostgresError) -> [AuditAnchor.Head] {
    let rows = try session.query(Statement(name: "\(table)_all", sql: "SELECT chain_id, seq, hash FROM \(table)", parameterTypes: []), [])
    return (0..<rows.rowCount).map { AuditAnchor.Head(chain: rows.uuidValue($0, 0), sequence: rows.int64($0, 1), hash: rows.bytes($0, 2)) }
  }

  private static func each(_ session: PostgresSession, _ which: String, _ body: (AuditVerifier.Row) -> Void) throws(PostgresError) {
    try session.execute("DECLARE audit_rows NO SCROLL CURSOR FOR SELECT \(columns) FROM audit_log \(which)")
    while true {
      let rows = try session.query(Statement(name: "audit_fetch", sql: "FETCH 2000 FROM audit_rows", parameterTypes: []), [])
      if rows.rowCount == 0 { break }
      for row in 0..<rows.rowCount {
        body(AuditVerifier.Row(content: content(rows, row), previousHash: rows.bytes(row, 13), hash: rows.bytes(row, 14)))
      }
    }
    try session.execute("CLOSE audit_rows")
  }

  private static func content(_ rows: ResultSet, _ row: Int) -> AuditChain.Content {
    func text(_ column: Int) -> String? { rows.isNull(row, column) ? nil : rows.text(row, column) }
    return AuditChain.Content(
      chain: rows.uuidValue(row, 0), sequence: rows.int64(row, 1), at: rows.timestamp(row, 2), tenant: rows.text(row, 3), actor: rows.text(row, 4),
      action: rows.text(row, 5), message: text(6) ?? "", order: rows.isNull(row, 7) ? nil : rows.uuidValue(row, 7), outcome: rows.text(row, 8),
      correlationID: text(9) ?? "", traceparent: text(10), before: text(11), after: text(12))
  }
}
