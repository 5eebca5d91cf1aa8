import PostgresClient

/// The SQL of payments within a batch's transaction.
enum PaymentStatements {
  private static let columns = """
    p.tenant_id, p.order_id, p.number, p.operation, p.purpose, p.amount_minor, p.currency, p.payment_method, p.authorization_id, p.key, p.target,
    coalesce(p.request, ''), p.state, p.message_id, p.command_type, coalesce(p.command, ''), p.version_before, p.actor, p.reason, p.correlation_id,
    p.traceparent, p.reply_to, p.opened_at, p.first_called_at, p.is_unknown, p.attempts, p.lease_token, p.was_unknown
    """

  static let open = Statement(
    name: "payments_open",
    sql: """
      SELECT \(columns)
      FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, order_id)
      JOIN payments p USING (tenant_id, order_id)
      WHERE p.state = 'open'
      ORDER BY p.tenant_id, p.order_id
      FOR UPDATE OF p
      """, parameterTypes: [.textArray, .uuidArray])

  /// Those that are settled already: the open ones are read before.
  static let settledByKey = Statement(
    name: "payments_settled",
    sql: """
      SELECT \(columns)
      FROM unnest($1::text[], $2::uuid[], $3::bigint[]) AS k (tenant_id, order_id, number)
      JOIN payments p ON p.tenant_id = k.tenant_id AND p.order_id = k.order_id AND p.number = k.number
      WHERE p.state <> 'open'
      """, parameterTypes: [.textArray, .uuidArray, .int8Array])

  static let insert = Statement(
    name: "payments_insert",
    sql: """
      INSERT INTO payments (tenant_id, order_id, number, operation, purpose, amount_minor, currency, payment_method, authorization_id, key, target,
                            request, state, message_id, command_type, command, version_before, actor, reason, correlation_id, traceparent, reply_to,
                            opened_at, next_attempt_at)
      SELECT d.tenant_id, d.order_id, d.number, d.operation, d.purpose, d.amount_minor, d.currency, d.payment_method, d.authorization_id, d.key,
             d.target, d.request, 'open', d.message_id, d.command_type, d.command, d.version_before, d.actor, d.reason, d.correlation_id,
             d.traceparent, d.reply_to, $22, $22
      FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[], $10::text[],
                  $11::text[], $12::bytea[], $13::text[], $14::text[], $15::bytea[], $16::bigint[], $17::text[], $18::text[], $19::text[],
                  $20::text[], $21::text[])
        AS d (tenant_id, order_id, number, operation, purpose, amount_minor, currency, payment_method, authorization_id, key, target, request,
              message_id, command_type, command, version_before, actor, reason, correlation_id, traceparent, reply_to)
      """,
    parameterTypes: [
      .textArray, .uuidArray, .int8Array, .textArray, .textArray, .int8Array, .textArray, .textArray, .textArray, .textArray, .textArray, .byteaArray,
      .textArray, .textArray, .byteaArray, .int8Array, .textArray, .textArray, .textArray, .textArray, .textArray, .timestamptz,
    ])

  static let settle = Statement(
    name: "payments_settle",
    sql: """
      UPDATE payments p
      SET state = d.state, authorization_id = coalesce(d.authorization_id, p.authorization_id), decline_code = d.decline_code,
          settled_at = clock_timestamp(), lease_token = NULL, lease_until = NULL, is_unknown = d.watched_after_micros IS NOT NULL,
          next_attempt_at = coalesce(clock_timestamp() + d.watched_after_micros * interval '1 microsecond', p.next_attempt_at)
      FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::text[], $5::text[], $6::text[], $7::bigint[])
        AS d (tenant_id, order_id, number, state, authorization_id, decline_code, watched_after_micros)
      WHERE p.tenant_id = d.tenant_id AND p.order_id = d.order_id AND p.number = d.number
      """, parameterTypes: [.textArray, .uuidArray, .int8Array, .textArray, .textArray, .textArray, .int8Array])

  /// Half of the wait is chance, so that what failed together does not come back together. The lease's end stays: until then its call might still
  /// have an effect.
  static let postpone = Statement(
    name: "payments_postpone",
    sql: """
      UPDATE payments p
      SET is_unknown = d.is_unknown, was_unknown = p.was_unknown OR d.is_unknown, lease_token = NULL,
          next_attempt_at = greatest(
            clock_timestamp() + d.delay_micros * (0.5 + random() / 2) * interval '1 microsecond',
            CASE WHEN d.waits_for_lease THEN p.lease_until + interval '1 millisecond' END)
      FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::boolean[], $5::bigint[], $6::boolean[])
        AS d (tenant_id, order_id, number, is_unknown, delay_micros, waits_for_lease)
      WHERE p.tenant_id = d.tenant_id AND p.order_id = d.order_id AND p.number = d.number
      """, parameterTypes: [.textArray, .uuidArray, .int8Array, .boolArray, .int8Array, .boolArray])

  static let settleClaims = Statement(
    name: "claims_settle",
    sql: """
      UPDATE processed_commands p
      SET order_id = d.order_id, outcome = d.outcome, status = d.status, version = d.version, rejection = d.rejection
      FROM unnest($1::text[], $2::text[], $3::uuid[], $4::text[], $5::text[], $6::bigint[], $7::text[])
        AS d (tenant_id, message_id, order_id, outcome, status, version, rejection)
      WHERE p.tenant_id = d.tenant_id AND p.message_id = d.message_id AND p.outcome IS NULL
      """, parameterTypes: [.textArray, .textArray, .uuidArray, .textArray, .textArray, .int8Array, .textArray])
}
