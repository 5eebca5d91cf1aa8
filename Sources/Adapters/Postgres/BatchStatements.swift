import PostgresClient

/// The SQL of a batch's transaction. Every list is an array parameter, every set of keys is sorted before it comes here, so that two
/// transactions take their locks in one order.
enum BatchStatements {
  static let begin = Statement(name: "begin", sql: "BEGIN ISOLATION LEVEL READ COMMITTED", parameterTypes: [])
  static let commit = Statement(name: "commit", sql: "COMMIT", parameterTypes: [])
  static let now = Statement(name: "now", sql: "SELECT clock_timestamp(), pg_current_xact_id()::text::bigint", parameterTypes: [])

  /// Null where it is too long ago to be known.
  static let transactionStatus = Statement(
    name: "transaction_status", sql: "SELECT pg_xact_status($1::text::xid8)", parameterTypes: [.int8])

  /// A commit that writes: once it is replicated, those before it are.
  static let commitAfter = Statement(
    name: "commit_after",
    sql: """
      INSERT INTO leases (name, holder, expires_at) VALUES ('replication', 'any', clock_timestamp())
      ON CONFLICT (name) DO UPDATE SET expires_at = excluded.expires_at
      """, parameterTypes: [])

  static let claims = Statement(
    name: "claims",
    sql: """
      SELECT p.tenant_id, p.message_id, p.type, p.subject, p.fingerprint, p.batch_id, p.order_id, p.status, p.version, p.rejection, p.outcome
      FROM unnest($1::text[], $2::text[]) AS k (tenant_id, message_id)
      JOIN processed_commands p USING (tenant_id, message_id)
      """, parameterTypes: [.textArray, .textArray])

  /// As `BatchReader.order` takes them.
  static let orderColumns = """
    o.tenant_id, o.order_id, o.customer_id, o.status, o.held_from, o.payment_status, o.reservation, o.version, o.currency, o.total_minor,
    o.payment_method, o.metadata, o.created_at, o.updated_at, o.payments
    """

  static let lockOrders = Statement(
    name: "lock_orders",
    sql: """
      SELECT \(orderColumns)
      FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, order_id)
      JOIN orders o USING (tenant_id, order_id)
      ORDER BY o.tenant_id, o.order_id
      FOR NO KEY UPDATE OF o
      """, parameterTypes: [.textArray, .uuidArray])

  static let items = Statement(
    name: "items",
    sql: """
      SELECT i.tenant_id, i.order_id, i.product_id, i.quantity, i.unit_price_minor
      FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, order_id)
      JOIN order_items i USING (tenant_id, order_id)
      ORDER BY i.tenant_id, i.order_id, i.line_no
      """, parameterTypes: [.textArray, .uuidArray])

  static let unsent = Statement(
    name: "unsent",
    sql: """
      SELECT b.tenant_id, b.order_id, b.version, b.event_id
      FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, order_id)
      JOIN outbox b USING (tenant_id, order_id)
      WHERE b.version > 0
      """, parameterTypes: [.textArray, .uuidArray])

  static let lockStock = Statement(
    name: "lock_stock",
    sql: """
      SELECT s.tenant_id, s.product_id, s.on_hand, s.reserved
      FROM unnest($1::text[], $2::text[]) AS k (tenant_id, product_id)
      JOIN inventory s USING (tenant_id, product_id)
      ORDER BY s.tenant_id, s.product_id
      FOR NO KEY UPDATE OF s
      """, parameterTypes: [.textArray, .textArray])

  static let insertOrders = Statement(
    name: "insert_orders",
    sql: """
      INSERT INTO orders (tenant_id, order_id, customer_id, status, held_from, payment_status, reservation, version, currency, total_minor,
                          payment_method, metadata, created_at, updated_at, payments, status_since)
      SELECT d.*, d.created_at FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::bigint[], $9::text[],
                           $10::bigint[], $11::text[], $12::text[], $13::timestamptz[], $14::timestamptz[],
                           $15::text[])
        AS d (tenant_id, order_id, customer_id, status, held_from, payment_status, reservation, version, currency, total_minor,
              payment_method, metadata, created_at, updated_at, payments)
      """,
    parameterTypes: [
      .textArray, .uuidArray, .textArray, .textArray, .textArray, .textArray, .textArray, .int8Array, .textArray, .int8Array, .textArray, .textArray,
      .timestamptzArray, .timestamptzArray, .textArray,
    ])

  static let insertItems = Statement(
    name: "insert_items",
    sql: """
      INSERT INTO order_items (tenant_id, order_id, line_no, product_id, quantity, unit_price_minor)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::smallint[], $4::text[], $5::bigint[], $6::bigint[])
      """, parameterTypes: [.textArray, .uuidArray, .int2Array, .textArray, .int8Array, .int8Array])

  static let insertReservations = Statement(
    name: "insert_reservations",
    sql: """
      INSERT INTO reservations (tenant_id, order_id, state, created_at)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::text[], $4::timestamptz[])
      """, parameterTypes: [.textArray, .uuidArray, .textArray, .timestamptzArray])

  static let updateOrders = Statement(
    name: "update_orders",
    sql: """
      UPDATE orders o
      SET status = d.status, held_from = d.held_from, payment_status = d.payment_status, reservation = d.reservation, version = d.version,
          updated_at = d.updated_at, payments = d.payments,
          status_since = CASE WHEN o.status = d.status THEN o.status_since ELSE d.updated_at END
      FROM unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::timestamptz[], $9::text[])
        AS d (tenant_id, order_id, status, held_from, payment_status, reservation, version, updated_at, payments)
      WHERE o.tenant_id = d.tenant_id AND o.order_id = d.order_id
      """,
    parameterTypes: [.textArray, .uuidArray, .textArray, .textArray, .textArray, .textArray, .int8Array, .timestamptzArray, .textArray])

  static let updateReservations = Statement(
    name: "update_reservations",
    sql: """
      UPDATE reservations r SET state = d.state
      FROM unnest($1::text[], $2::uuid[], $3::text[]) AS d (tenant_id, order_id, state)
      WHERE r.tenant_id = d.tenant_id AND r.order_id = d.order_id
      """, parameterTypes: [.textArray, .uuidArray, .textArray])

  static let insertHistory = Statement(
    name: "insert_history",
    sql: """
      INSERT INTO order_history (tenant_id, order_id, version, status, previous_status, payment_status, at, actor, message_id, reason)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::text[],
                           $9::text[], $10::text[])
      """,
    parameterTypes: [
      .textArray, .uuidArray, .int8Array, .textArray, .textArray, .textArray, .timestamptzArray, .textArray, .textArray, .textArray,
    ])

  static let moveStock = Statement(
    name: "move_stock",
    sql: """
      UPDATE inventory s SET on_hand = s.on_hand + d.on_hand, reserved = s.reserved + d.reserved
      FROM unnest($1::text[], $2::text[], $3::bigint[], $4::bigint[]) AS d (tenant_id, product_id, on_hand, reserved)
      WHERE s.tenant_id = d.tenant_id AND s.product_id = d.product_id
      """, parameterTypes: [.textArray, .textArray, .int8Array, .int8Array])

  static let deleteOutbox = Statement(
    name: "delete_outbox",
    sql: """
      DELETE FROM outbox b USING unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[]) AS k (tenant_id, order_id, version, event_id)
      WHERE b.tenant_id = k.tenant_id AND b.order_id = k.order_id AND b.version = k.version AND b.event_id = k.event_id
      """, parameterTypes: [.textArray, .uuidArray, .int8Array, .uuidArray])

  static let insertOutbox = Statement(
    name: "insert_outbox",
    sql: """
      INSERT INTO outbox (tenant_id, order_id, version, event_id, type, body, reply_to, correlation_id, traceparent)
      SELECT * FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[], $5::text[], $6::bytea[], $7::text[], $8::text[], $9::text[])
      """, parameterTypes: [.textArray, .uuidArray, .int8Array, .uuidArray, .textArray, .byteaArray, .textArray, .textArray, .textArray])

  /// Last in the transaction: where two batches hold one id, the second one waits here and fails, with all its locks in order.
  static let insertClaims = Statement(
    name: "insert_claims",
    sql: """
      INSERT INTO processed_commands (tenant_id, message_id, order_id, outcome, type, subject, fingerprint, batch_id, status, version, rejection,
                                      processed_at)
      SELECT c.tenant_id, c.message_id, c.order_id, c.outcome, c.type, c.subject, c.fingerprint, $11, c.status, c.version, c.rejection, $12
      FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::text[], $7::bytea[], $8::text[], $9::bigint[], $10::text[])
        AS c (tenant_id, message_id, order_id, outcome, type, subject, fingerprint, status, version, rejection)
      """,
    parameterTypes: [
      .textArray, .textArray, .uuidArray, .textArray, .textArray, .textArray, .byteaArray, .textArray, .int8Array, .textArray, .uuid, .timestamptz,
    ])
}
