import Application
import Domain
import PostgresClient

/// The SQL that writes audit rows, and where their chain then stands.
enum AuditRows {
  /// `chain` is as it is with these links, of which there is one at least.
  static func append(_ entries: [AuditEntry], _ links: [AuditChain.Link], of chain: AuditChain, to pipeline: inout Pipeline) {
    let count = entries.count
    var tenant = TextArray(capacity: count)
    var at = TimestampArray(capacity: count)
    var seq = Int64Array(capacity: count)
    var previousHash = ByteaArray(capacity: count)
    var hash = ByteaArray(capacity: count)
    var actor = TextArray(capacity: count)
    var action = TextArray(capacity: count)
    var message = TextArray(capacity: count)
    var order = UUIDArray(capacity: count)
    var outcome = TextArray(capacity: count)
    var correlation = TextArray(capacity: count)
    var traceparent = TextArray(capacity: count)
    var before = TextArray(capacity: count)
    var after = TextArray(capacity: count)
    for (entry, link) in zip(entries, links) {
      tenant.append(entry.tenant.rawValue)
      at.append(entry.at.microseconds)
      seq.append(link.sequence)
      previousHash.append(link.previousHash)
      hash.append(link.hash)
      actor.append(entry.actor)
      action.append(entry.action)
      message.append(entry.message.rawValue)
      order.append(entry.order)
      outcome.append(entry.outcome)
      correlation.append(entry.correlationID)
      traceparent.append(entry.traceparent)
      before.append(link.before)
      after.append(link.after)
    }
    let id = Parameter.uuid(high: chain.id.high, low: chain.id.low)
    pipeline.append(
      insert,
      Parameters([
        .array(tenant), .array(at), .array(seq), .array(previousHash), .array(hash), .array(actor), .array(action), .array(message), .array(order),
        .array(outcome), .array(correlation), .array(traceparent), .array(before), .array(after), id,
      ]))
    pipeline.append(moveHead, Parameters([id, .int64(chain.sequence), .bytea(chain.head)]))
  }

  private static let insert = Statement(
    name: "insert_audit",
    sql: """
      INSERT INTO audit_log (tenant_id, at, chain_id, seq, prev_hash, hash, actor, action, message_id, order_id, outcome, correlation_id,
                             traceparent, before, after)
      SELECT a.tenant_id, a.at, $15, a.seq, a.prev_hash, a.hash, a.actor, a.action, a.message_id, a.order_id, a.outcome, a.correlation_id,
             a.traceparent, a.before, a.after
      FROM unnest($1::text[], $2::timestamptz[], $3::bigint[], $4::bytea[], $5::bytea[], $6::text[], $7::text[], $8::text[], $9::uuid[],
                  $10::text[], $11::text[], $12::text[], $13::text[], $14::text[])
        AS a (tenant_id, at, seq, prev_hash, hash, actor, action, message_id, order_id, outcome, correlation_id, traceparent, before, after)
      """,
    parameterTypes: [
      .textArray, .timestamptzArray, .int8Array, .byteaArray, .byteaArray, .textArray, .textArray, .textArray, .uuidArray, .textArray, .textArray,
      .textArray, .textArray, .textArray, .uuid,
    ])

  private static let moveHead = Statement(
    name: "move_audit_head",
    sql: """
      INSERT INTO audit_heads (chain_id, seq, hash) VALUES ($1, $2, $3)
      ON CONFLICT (chain_id) DO UPDATE SET seq = excluded.seq, hash = excluded.hash
      """, parameterTypes: [.uuid, .int8, .bytea])
}
