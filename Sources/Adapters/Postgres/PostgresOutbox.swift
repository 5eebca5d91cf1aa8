import Application
import ClientRuntime
import Domain
import PostgresClient

/// The outbox for the relay, on a connection of its own.
package struct PostgresOutbox: Outbox, PostgresLeadership {
  static let leaseName = "outbox-relay"
  let client: PostgresClient
  let deadline: Duration

  package init(client: PostgresClient, deadline: Duration = .seconds(5)) {
    self.client = client
    self.deadline = deadline
  }

  /// What stands in the column `type` of a reply's row.
  static let replyType = "order.reply"

  package func oldest(age: Duration, limit: Int) async throws(StoreError) -> OutboxPage {
    try await run { session throws(PostgresError) in
      let rows = try session.query(Self.due, Parameters([.int64(age.components.seconds), .int64(Int64(limit))]))
      var page = OutboxPage()
      for row in 0..<rows.rowCount {
        guard let tenant = TenantID(rows.text(row, 0)) else { throw .unreadable("outbox") }
        let order = OrderKey(tenant: tenant, order: rows.uuidValue(row, 1))
        let key = OutboxKey(order: order, version: rows.int64(row, 2), event: rows.uuidValue(row, 3))
        let name = rows.text(row, 4)
        let traceparent = rows.isNull(row, 8) ? nil : rows.text(row, 8)
        if name == Self.replyType, !rows.isNull(row, 6) {
          let correlationID = rows.isNull(row, 7) ? nil : rows.text(row, 7)
          let reply = Reply(to: rows.text(row, 6), correlationID: correlationID, body: rows.bytes(row, 5), traceparent: traceparent)
          page.replies.append(StoredReply(key: key, reply: reply))
          continue
        }
        // Of a newer worker's: left to one, and in nobody else's way.
        guard let type = EventType(rawValue: name) else { continue }
        page.events.append(EncodedEvent(key: key, type: type, body: rows.bytes(row, 5), trace: traceparent.flatMap { EventTrace(kept: $0) }))
      }
      return page
    }
  }

  package func postpone(_ keys: [OutboxKey]) async throws(StoreError) {
    try await run { session throws(PostgresError) in _ = try session.query(Self.putOff, BatchWriter.outboxColumns(keys.sorted())) }
  }

  package func forget(_ sent: [OutboxKey]) async throws(StoreError) {
    try await run { session throws(PostgresError) in
      _ = try session.query(BatchStatements.deleteOutbox, BatchWriter.outboxColumns(sent.sorted()))
    }
  }

  private func run<T: Sendable>(_ job: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T) async throws(StoreError) -> T {
    try await client.runIfConnected(within: deadline, job)
  }

  /// An order's oldest row, by version and whatever the rows' times: a transaction that waited for the order's lock carries the earlier
  /// time. `command_rejected` events are no versions (0) and stand in no one's way. The time is the
  /// statement's, for which an index serves.
  static let due = Statement(
    name: "relay_due",
    sql: """
      SELECT b.tenant_id, b.order_id, b.version, b.event_id, b.type, b.body, b.reply_to, b.correlation_id, b.traceparent
      FROM outbox b
      WHERE b.created_at < statement_timestamp() - $1 * interval '1 second'
        AND (b.next_attempt_at IS NULL OR b.next_attempt_at <= statement_timestamp())
        AND NOT EXISTS (
          SELECT FROM outbox o WHERE o.tenant_id = b.tenant_id AND o.order_id = b.order_id AND o.version BETWEEN 1 AND b.version - 1)
      ORDER BY b.created_at
      LIMIT $2
      """, parameterTypes: [.int8, .int8])

  private static let putOff = Statement(
    name: "relay_put_off",
    sql: """
      UPDATE outbox b SET attempts = b.attempts + 1,
        next_attempt_at = clock_timestamp() + least(power(2, least(b.attempts, 6)), 60) * interval '1 second'
      FROM unnest($1::text[], $2::uuid[], $3::bigint[], $4::uuid[]) AS k (tenant_id, order_id, version, event_id)
      WHERE b.tenant_id = k.tenant_id AND b.order_id = k.order_id AND b.version = k.version AND b.event_id = k.event_id
      """, parameterTypes: [.textArray, .uuidArray, .int8Array, .uuidArray])
}
