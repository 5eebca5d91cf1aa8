import Application
import ClientRuntime
import Domain
import PostgresAdapter
import PostgresClient
import TestSupport
import Testing

/// A schema of its own in the stack's PostgreSQL, migrated, with a store over it.
struct PostgresFixture: Sendable {
  let schema: String
  /// As whoever set the schema up.
  let client: PostgresClient
  /// As the worker, in its two roles.
  let tenants: PostgresClient
  let system: PostgresClient
  let stores: Stores

  /// The command path, the relay and the payments are three adapters over three connections; the contract sees them as one.
  final class Stores: OrderStore, Outbox, PaymentQueue {
    let orders: [PostgresOrderStore]
    let outbox: PostgresOutbox
    let payments: PostgresPaymentQueue
    private let next = Turn()

    init(orders: [PostgresOrderStore], outbox: PostgresOutbox, payments: PostgresPaymentQueue) {
      self.orders = orders
      self.outbox = outbox
      self.payments = payments
    }

    func transact<Decision: Sendable>(
      _ keys: BatchKeys, sent: [OutboxKey], decide: @escaping @Sendable (BatchFacts) -> (BatchWrites, Decision)
    ) async throws(StoreError) -> Decision {
      try await orders[next.take() % orders.count].transact(keys, sent: sent, decide: decide)
    }
    func forget(_ sent: [OutboxKey]) async throws(StoreError) { try await outbox.forget(sent) }
    func unsent(_ orders: [OrderKey]) async throws(StoreError) -> Set<OutboxKey> { try await self.orders[0].unsent(orders) }
    func untilAvailable() async { await orders[0].untilAvailable() }
    func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool { try await outbox.lease(holder: holder, for: duration) }
    func release(holder: String) async throws(StoreError) { try await outbox.release(holder: holder) }
    func oldest(age: Duration, limit: Int) async throws(StoreError) -> OutboxPage { try await outbox.oldest(age: age, limit: limit) }
    func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
      try await payments.lease(limit: limit, for: duration, openFor: age)
    }
    func postpone(_ keys: [OutboxKey]) async throws(StoreError) { try await outbox.postpone(keys) }
  }

  static func make(connections: Int = 1) async throws -> PostgresFixture {
    let schema = Stack.uniqueName("s")
    func connect(_ role: DatabaseRole?) throws -> PostgresClient {
      PostgresClient(
        configuration: try PostgresConfiguration(
          url: Stack.databaseURL, applicationName: "tests", schema: schema, role: role?.name(schema: schema)))
    }
    // Set-ups take turns, and on a busy machine many may wait for theirs.
    let setup = PostgresClient(
      configuration: try PostgresConfiguration(
        url: Stack.databaseURL, applicationName: "tests", statementTimeout: .seconds(60), lockTimeout: .seconds(60)))
    _ = try await Migrator(client: setup, schema: schema).migrate(deadline: .after(.seconds(60)))
    await setup.close()
    let roles: [DatabaseRole?] = [nil, .system, .system] + [DatabaseRole](repeating: .tenants, count: connections)
    let clients = try roles.map(connect)
    // A store does not wait for a database that is away.
    for client in clients { #expect(await client.waitUntilConnected(deadline: .after(.seconds(60)))) }
    let stores = Stores(
      orders: clients.dropFirst(3).map { PostgresOrderStore(client: $0) }, outbox: PostgresOutbox(client: clients[1]),
      payments: PostgresPaymentQueue(client: clients[2]))
    return PostgresFixture(schema: schema, client: clients[0], tenants: clients[3], system: clients[1], stores: stores)
  }

  var contract: OrderStoreContract {
    OrderStoreContract(
      store: stores,
      setStock: { [client] product, onHand in
        try await client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in
          _ = try session.query(
            Statement(name: "set", sql: "INSERT INTO inventory (tenant_id, product_id, on_hand) VALUES ($1, $2, $3)", parameterTypes: [.text, .text, .int8]),
            [.text(product.tenant.rawValue), .text(product.product.rawValue), .int64(onHand)])
        }
      },
      stock: { [client] product in
        try await client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in
          let rows = try session.query(
            Statement(name: "get", sql: "SELECT on_hand, reserved FROM inventory WHERE product_id = $1", parameterTypes: [.text]),
            [.text(product.product.rawValue)])
          return rows.isEmpty ? nil : StockLevel(onHand: rows.int64(0, 0), reserved: rows.int64(0, 1))
        }
      },
      rows: { [client] key in
        let tables = [
          "orders": "orders", "history": "order_history", "audit": "audit_log", "reservations": "reservations", "outbox": "outbox",
          "claims": "processed_commands",
        ]
        return try await client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in
          var counts: [String: Int] = [:]
          for (name, table) in tables {
            let rows = try session.query(
              Statement(name: "count_\(name)", sql: "SELECT count(*) FROM \(table) WHERE order_id = $1", parameterTypes: [.uuid]),
              [.uuid(high: key.order.high, low: key.order.low)])
            counts[name] = Int(rows.int64(0, 0))
          }
          return counts
        }
      })
  }
}
