import ClientRuntime
import PostgresClient
import TestSupport
import Testing

@testable import PostgresAdapter

/// What looks again and again for what is due must not read all that waits: with many orders or payments open it would be the database's main work.
@Suite struct DueStatementTests {
  @Test(arguments: ["expirable", "lease", "relay"])
  func whatIsNotDueIsNotRead(name: String) async throws {
    let statements: [String: (Statement, Parameters)] = [
      "expirable": (PostgresHousekeeping.expirable, [.int64(900_000), .int64(500)]), "lease": (PostgresPaymentQueue.take, [.int64(64), .int64(15_000), .null]),
      "relay": (PostgresOutbox.due, [.int64(900), .int64(500)]),
    ]
    let (statement, parameters) = try #require(statements[name])
    let plan = try await PostgresFixture.make().client.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      for (number, sql) in Self.thousandOfEachNotDue.enumerated() { _ = try session.query(Statement(name: "fill\(number)", sql: sql), []) }
      let explain = Statement(name: "explain", sql: "EXPLAIN (ANALYZE, TIMING OFF) \(statement.sql)", parameterTypes: statement.parameterTypes)
      let rows = try session.query(explain, parameters)
      return (0..<rows.rowCount).map { rows.text($0, 0) }.joined(separator: "\n")
    }
    #expect(plan.contains("Index Cond"), "\(plan)")
    #expect(!plan.contains("Removed by Filter"), "\(plan)")
  }

  private static let thousandOfEachNotDue = [
    """
    INSERT INTO orders (tenant_id, order_id, customer_id, status, payment_status, reservation, version, currency, total_minor, created_at, updated_at)
    SELECT 'default', gen_random_uuid(), 'c', 'pending', 'none', 'reserved', 1, 'EUR', 1, now(), now() FROM generate_series(1, 1000)
    """,
    """
    INSERT INTO payments (tenant_id, order_id, number, operation, purpose, amount_minor, currency, key, target, state, message_id, command_type,
                          version_before, actor, correlation_id, opened_at, next_attempt_at)
    SELECT 'default', gen_random_uuid(), 1, 'authorize', 'confirm', 1, 'EUR', 'k', '/authorizations', 'open', 'm', 'order.create',
           1, 'a', 'c', now(), now() + interval '1 hour'
    FROM generate_series(1, 1000)
    """,
    """
    INSERT INTO payments (tenant_id, order_id, number, operation, purpose, amount_minor, currency, key, target, state, is_unknown, message_id,
                          command_type, version_before, actor, correlation_id, opened_at, next_attempt_at)
    SELECT 'default', gen_random_uuid(), 1, 'authorize', 'confirm', 1, 'EUR', 'k', '/authorizations', 'unavailable', true, 'm',
           'order.create', 1, 'a', 'c', now(), now() + interval '1 hour'
    FROM generate_series(1, 1000)
    """,
    """
    INSERT INTO outbox (tenant_id, order_id, version, event_id, type, body)
    SELECT 'default', gen_random_uuid(), 1, gen_random_uuid(), 'order.created', '' FROM generate_series(1, 1000)
    """,
    "ANALYZE orders, payments, outbox",
    // A thousand rows are read whole as fast as by an index.
    "SET enable_seqscan = off",
  ]
}
