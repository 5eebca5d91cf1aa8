import Application
import Domain
import PostgresClient

/// Orders for those who ask, on a connection of its own.
package struct PostgresOrderReader: OrderReader {
  private let client: PostgresClient
  private let deadline: Duration

  package init(client: PostgresClient, deadline: Duration = .seconds(5)) {
    self.client = client
    self.deadline = deadline
  }

  package func orders(_ keys: [OrderKey]) async throws(StoreError) -> [OrderKey: Order] {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let tenants = Set(keys.map(\.tenant))
      let orders = try Self.assemble(session, session.query(Self.byKey, BatchReader.orderColumns(keys), of: tenants), of: tenants)
      var byKey: [OrderKey: Order] = [:]
      for order in orders { byKey[order.key] = order }
      return byKey
    }
  }

  package func history(of order: OrderKey) async throws(StoreError) -> [HistoryEntry] {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let rows = try session.query(
        Self.versions, Parameters([.text(order.tenant.rawValue), .uuid(high: order.order.high, low: order.order.low)]), of: [order.tenant])
      var entries: [HistoryEntry] = []
      for row in 0..<rows.rowCount {
        guard let status = OrderStatus(rawValue: rows.text(row, 1)), let payment = PaymentStatus(rawValue: rows.text(row, 3)),
          let message = MessageID(rows.text(row, 6))
        else { throw .unreadable("order_history") }
        entries.append(
          HistoryEntry(
            order: order, version: rows.int64(row, 0), status: status,
            previousStatus: rows.isNull(row, 2) ? nil : OrderStatus(rawValue: rows.text(row, 2)), paymentStatus: payment,
            at: Timestamp(microseconds: rows.timestamp(row, 4)), actor: rows.text(row, 5), message: message,
            reason: rows.isNull(row, 7) ? nil : rows.text(row, 7)))
      }
      return entries
    }
  }

  package func list(_ filter: OrderFilter, tenant: TenantID, after position: ListPosition?, limit: Int) async throws(StoreError) -> [Order] {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      // Before everything, where there is no position: newest first begins at the end of time.
      let rows = try session.query(
        Self.page,
        Parameters([
          .text(tenant.rawValue), .text(filter.customer.rawValue), .timestamp(position?.createdAt.microseconds ?? Self.endOfTime),
          .uuid(high: position?.order.high ?? 0, low: position?.order.low ?? 0), filter.status.map { .text($0.rawValue) } ?? .null, .int64(Int64(limit)),
        ]), of: [tenant])
      return try Self.assemble(session, rows, of: [tenant])
    }
  }

  /// Year 9999.
  private static let endOfTime: Int64 = 253_402_300_799_000_000

  /// In the order of the rows.
  private static func assemble(_ session: PostgresSession, _ rows: ResultSet, of tenants: Set<TenantID>) throws(PostgresError) -> [Order] {
    var keys: [OrderKey] = []
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(rows.text(row, 0)) else { throw .unreadable("orders") }
      keys.append(OrderKey(tenant: tenant, order: rows.uuidValue(row, 1)))
    }
    guard !keys.isEmpty else { return [] }
    // An order's items never change, so that they may be read after it.
    let lines = try BatchReader.lines(session.query(BatchStatements.items, BatchReader.orderColumns(keys), of: tenants))
    var orders: [Order] = []
    for (row, key) in keys.enumerated() { orders.append(try BatchReader.order(key, rows, row, lines: lines[key] ?? [])) }
    return orders
  }

  private static let byKey = Statement(
    name: "orders_by_key",
    sql: """
      SELECT \(BatchStatements.orderColumns)
      FROM unnest($1::text[], $2::uuid[]) AS k (tenant_id, order_id)
      JOIN orders o USING (tenant_id, order_id)
      """, parameterTypes: [.textArray, .uuidArray])

  private static let versions = Statement(
    name: "order_versions",
    sql: """
      SELECT version, status, previous_status, payment_status, at, actor, message_id, reason
      FROM order_history WHERE tenant_id = $1 AND order_id = $2 ORDER BY version
      """, parameterTypes: [.text, .uuid])

  private static let page = Statement(
    name: "orders_of_customer",
    sql: """
      SELECT \(BatchStatements.orderColumns)
      FROM orders o
      WHERE o.tenant_id = $1 AND o.customer_id = $2 AND (o.created_at, o.order_id) < ($3, $4) AND ($5::text IS NULL OR o.status = $5)
      ORDER BY o.created_at DESC, o.order_id DESC
      LIMIT $6
      """, parameterTypes: [.text, .text, .timestamptz, .uuid, .text, .int8])
}
