import Application
import ClientRuntime
import Domain
import PostgresClient

/// The stock in the table `inventory`.
package struct PostgresStockLedger: StockLedger {
  private let client: PostgresClient
  private let deadline: Duration
  private let trail = AuditTrail()

  package init(client: PostgresClient, deadline: Duration = .seconds(60)) {
    self.client = client
    self.deadline = deadline
  }

  package func list(tenant: TenantID) async throws(StockLedgerError) -> [StockRow] {
    try await run { session throws(PostgresError) in
      try Self.rows(session.query(Self.all, [.text(tenant.rawValue)], of: [tenant]))
    }
  }

  package func set(_ counts: [StockCount], tenant: TenantID, by actor: String, at now: Timestamp) async throws(StockLedgerError) -> [StockRow] {
    let trail = trail
    var products = TextArray(capacity: counts.count)
    var quantities = Int64Array(capacity: counts.count)
    for count in counts {
      products.append(count.product.rawValue)
      quantities.append(count.onHand)
    }
    let named = Parameters([.text(tenant.rawValue), .array(products)])
    let parameters = Parameters([.text(tenant.rawValue), .array(products), .array(quantities)])
    let (short, written): ([StockRow], [StockRow]) = try await run { session throws(PostgresError) in
      // The rows' locks keep orders from reserving more between the look and the write.
      let results = try session.pipeline {
        $0.append(.begin)
        TenantScope.append([tenant], to: &$0)
        $0.append(Self.lock, named)
        $0.append(Self.short, parameters)
      }
      let short = try Self.rows(results[3])
      if !short.isEmpty {
        try session.execute("ROLLBACK")
        return (short, [])
      }
      let before = Dictionary(uniqueKeysWithValues: try Self.rows(results[2]).map { ($0.product, $0.level) })
      let written = try Self.rows(session.query(Self.write, parameters))
      try trail.commit(
        written.map { row in
          AuditEntry(
            "stock.set", by: actor, in: tenant, at: now, about: row.product.rawValue, before: before[row.product].map { .stock($0) },
            after: .stock(row.level))
        }, session)
      return ([], written)
    }
    if !short.isEmpty { throw .belowReserved(short) }
    return written
  }

  private static func rows(_ result: ResultSet) throws(PostgresError) -> [StockRow] {
    var rows: [StockRow] = []
    rows.reserveCapacity(result.rowCount)
    for row in 0..<result.rowCount {
      guard let product = ProductID(result.text(row, 0)) else { throw .unreadable("inventory") }
      rows.append(StockRow(product: product, level: StockLevel(onHand: result.int64(row, 1), reserved: result.int64(row, 2))))
    }
    return rows
  }

  private func run<T: Sendable>(_ job: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T) async throws(StockLedgerError) -> T {
    do {
      return try await client.run(deadline: .after(deadline), job)
    } catch {
      throw error.sqlState == "42P01" ? .notSetUp : .store(StoreError(error))  // undefined_table
    }
  }

  private static let all = Statement(
    name: "stock_list",
    sql: "SELECT product_id, on_hand, reserved FROM inventory WHERE tenant_id = $1 ORDER BY product_id", parameterTypes: [.text])

  /// In the order in which the worker locks stock.
  private static let lock = Statement(
    name: "stock_lock",
    sql: """
      SELECT s.product_id, s.on_hand, s.reserved FROM inventory s JOIN unnest($2::text[]) AS k (product_id) USING (product_id)
      WHERE s.tenant_id = $1
      ORDER BY s.tenant_id, s.product_id
      FOR NO KEY UPDATE OF s
      """, parameterTypes: [.text, .textArray])

  private static let short = Statement(
    name: "stock_short",
    sql: """
      SELECT s.product_id, s.on_hand, s.reserved
      FROM inventory s JOIN unnest($2::text[], $3::bigint[]) AS k (product_id, quantity) USING (product_id)
      WHERE s.tenant_id = $1 AND k.quantity < s.reserved
      ORDER BY s.product_id
      """, parameterTypes: [.text, .textArray, .int8Array])

  private static let write = Statement(
    name: "stock_write",
    sql: """
      INSERT INTO inventory (tenant_id, product_id, on_hand)
      SELECT $1, k.product_id, k.quantity FROM unnest($2::text[], $3::bigint[]) AS k (product_id, quantity)
      ORDER BY k.product_id
      ON CONFLICT (tenant_id, product_id) DO UPDATE SET on_hand = excluded.on_hand
      RETURNING product_id, on_hand, reserved
      """, parameterTypes: [.text, .textArray, .int8Array])
}
