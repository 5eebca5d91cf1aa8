import Application
import Domain
import PostgresClient

/// Looks for what time has made due, on a connection that others use too.
package struct PostgresHousekeeping: Housekeeping, PostgresLeadership {
  static let leaseName = "housekeeping"
  let client: PostgresClient
  let deadline: Duration
  private let trail = AuditTrail()

  package init(client: PostgresClient, deadline: Duration = .seconds(5)) {
    self.client = client
    self.deadline = deadline
  }

  package func expirable(after lifetime: Duration, limit: Int) async throws(StoreError) -> [OrderKey] {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let rows = try session.query(Self.expirable, Parameters([.int64(lifetime.milliseconds), .int64(Int64(limit))]))
      var keys: [OrderKey] = []
      for row in 0..<rows.rowCount {
        guard let tenant = TenantID(rows.text(row, 0)) else { throw .unreadable("orders") }
        keys.append(OrderKey(tenant: tenant, order: rows.uuidValue(row, 1)))
      }
      return keys
    }
  }

  package func trimPayments(olderThan age: Duration, limit: Int) async throws(StoreError) -> Int {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      try session.query(Self.trim, Parameters([.int64(age.milliseconds), .int64(Int64(limit))])).rowCount
    }
  }

  package func anchorAudit(by holder: String) async throws(StoreError) {
    let trail = trail
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      try session.execute("BEGIN")
      let rows = try session.query(AuditAnchor.grown, [])
      let heads = (0..<rows.rowCount).map { row in
        AuditAnchor.Head(chain: rows.uuidValue(row, 0), sequence: rows.int64(row, 1), hash: rows.bytes(row, 2))
      }
      // Its own last anchor is worth another only once there is something else to tell.
      guard heads.contains(where: { $0.chain != trail.chainID }) else { return try session.execute("ROLLBACK") }
      _ = try session.query(AuditAnchor.mark, AuditAnchor.columns(heads))
      let now = Timestamp(microseconds: rows.timestamp(0, 3))
      try trail.commit(AuditAnchor.texts(heads).map { AuditEntry(anchoring: $0, by: holder, at: now) }, session)
    }
  }

  /// A pending order has been so since it was created. Here and below the time is the statement's: `clock_timestamp()` may change within it, so that
  /// no index serves and all that is not due is read, too.
  static let expirable = Statement(
    name: "orders_expirable",
    sql: """
      SELECT o.tenant_id, o.order_id
      FROM orders o
      WHERE o.status = 'pending' AND o.status_since < statement_timestamp() - $1 * interval '1 millisecond'
        AND NOT EXISTS (SELECT FROM payments p WHERE p.tenant_id = o.tenant_id AND p.order_id = o.order_id AND p.state = 'open')
      ORDER BY o.status_since
      LIMIT $2
      """, parameterTypes: [.int8, .int8])

  static let trim = Statement(
    name: "payments_trim",
    sql: """
      UPDATE payments p SET request = NULL, command = NULL
      FROM (
        SELECT tenant_id, order_id, number FROM payments
        WHERE state <> 'open' AND request IS NOT NULL AND settled_at < statement_timestamp() - $1 * interval '1 millisecond'
        ORDER BY settled_at
        LIMIT $2
        FOR UPDATE SKIP LOCKED
      ) AS old
      WHERE p.tenant_id = old.tenant_id AND p.order_id = old.order_id AND p.number = old.number
      RETURNING p.number
      """, parameterTypes: [.int8, .int8])
}

extension Duration {
  /// Whole milliseconds, rounded down.
  var milliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
  /// Whole microseconds, rounded down.
  var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }
}
