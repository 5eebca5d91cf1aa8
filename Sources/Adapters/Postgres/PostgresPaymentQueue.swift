import Application
import ClientRuntime
import Domain
import PostgresClient

/// The open payments for an executor, on a connection of its own.
package struct PostgresPaymentQueue: PaymentQueue {
  private let client: PostgresClient
  private let deadline: Duration

  package init(client: PostgresClient, deadline: Duration = .seconds(3)) {
    self.client = client
    self.deadline = deadline
  }

  package func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let rows = try session.query(Self.take, Parameters([.int64(Int64(limit)), .int64(duration.milliseconds), age.map { .int64($0.milliseconds) } ?? .null]))
      return try (0..<rows.rowCount).map { (row) throws(PostgresError) in try Self.leased(rows, row) }
    }
  }

  private static func leased(_ rows: ResultSet, _ row: Int) throws(PostgresError) -> LeasedPayment {
    guard let tenant = TenantID(rows.text(row, 0)) else { throw .unreadable("payments") }
    let order = OrderKey(tenant: tenant, order: rows.uuidValue(row, 1))
    return LeasedPayment(
      key: PaymentKey(order: order, number: Int(rows.int32(row, 2))),
      call: PaymentCall(key: rows.text(row, 3), target: rows.text(row, 4), body: rows.bytes(row, 5)), lease: rows.uuidValue(row, 6),
      isRepeat: rows.int32(row, 7) > 1, looksUp: rows.bool(row, 10), isGivenUp: rows.bool(row, 12),
      trace: CommandReference(
        messageID: rows.text(row, 11), correlationID: rows.text(row, 8), tenant: tenant, order: order.order,
        traceparent: rows.isNull(row, 9) ? nil : rows.text(row, 9)))
  }

  /// A lease that ended without a result leaves open what its call did: unknown, until the provider tells. Rows that a batch has locked are passed
  /// over, so that neither waits for the other. What is due goes by the statement's time, for which an index serves. What was given up comes after
  /// what is open.
  static let take = Statement(
    name: "payments_lease",
    sql: """
      WITH due AS MATERIALIZED (
        SELECT tenant_id, order_id, number, (is_unknown OR lease_token IS NOT NULL) AND lease_until < clock_timestamp() AS looks_up, false AS is_given_up
        FROM payments
        WHERE state = 'open' AND next_attempt_at <= statement_timestamp() AND (lease_token IS NULL OR lease_until < clock_timestamp())
          AND ($3 IS NULL OR is_unknown OR lease_token IS NOT NULL OR opened_at <= statement_timestamp() - $3 * interval '1 millisecond')
        ORDER BY next_attempt_at
        LIMIT $1
        FOR UPDATE SKIP LOCKED
      ), watched AS MATERIALIZED (
        SELECT tenant_id, order_id, number, true AS looks_up, true AS is_given_up
        FROM payments
        WHERE $3 IS NULL AND state = 'unavailable' AND is_unknown AND operation = 'authorize' AND next_attempt_at <= statement_timestamp()
          AND (lease_token IS NULL OR lease_until < clock_timestamp())
        ORDER BY next_attempt_at
        LIMIT $1 - (SELECT count(*) FROM due)
        FOR UPDATE SKIP LOCKED
      )
      UPDATE payments p
      SET is_unknown = p.is_unknown OR p.lease_token IS NOT NULL, was_unknown = p.was_unknown OR p.is_unknown OR p.lease_token IS NOT NULL,
          lease_token = gen_random_uuid(), lease_until = greatest(p.lease_until, clock_timestamp() + $2 * interval '1 millisecond'),
          attempts = p.attempts + 1, first_called_at = coalesce(p.first_called_at, clock_timestamp())
      FROM (SELECT * FROM due UNION ALL SELECT * FROM watched) AS due
      WHERE p.tenant_id = due.tenant_id AND p.order_id = due.order_id AND p.number = due.number
      RETURNING p.tenant_id, p.order_id, p.number, p.key, p.target, coalesce(p.request, ''), p.lease_token, p.attempts, p.correlation_id, p.traceparent,
        coalesce(due.looks_up, false), p.message_id, due.is_given_up
      """, parameterTypes: [.int8, .int8, .int8])
}
