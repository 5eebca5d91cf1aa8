import Application
import ClientRuntime
import Domain
import PostgresClient
import TestSupport
import Testing

@testable import PostgresAdapter

/// The log that the store writes, read and tampered with in PostgreSQL.
@Suite(.enabled(if: Stack.database != nil)) struct PostgresAuditLogTests {
  private static func sql(_ fixture: PostgresFixture, _ text: String) async throws {
    try await fixture.client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in try session.execute(text) }
  }

  /// A log of stock counts and an anchor of them.
  private static func withLog(_ body: (PostgresFixture, PostgresAuditLog) async throws -> Void) async throws {
    let fixture = try await PostgresFixture.make()
    let ledger = PostgresStockLedger(client: fixture.tenants)
    for number in 1...6 {
      _ = try await ledger.set(
        [StockCount(product: ProductID("p")!, onHand: Int64(number))], tenant: .standard, by: "ann",
        at: Timestamp(microseconds: 1_790_000_000_000_000 + Int64(number)))
    }
    let housekeeping = PostgresHousekeeping(client: fixture.system)
    for _ in 1...3 { try await housekeeping.anchorAudit(by: "w") }
    try await body(fixture, PostgresAuditLog(client: fixture.system))
  }

  @Test func whatWasWrittenIsWholeAndListed() async throws {
    try await Self.withLog { fixture, log in
      let verifier = try await log.verify()
      #expect(verifier.findings == [] && verifier.rows == 7 && verifier.chains == 2, "an anchor only where there is something to tell")
      var filter = PostgresAuditLog.Filter()
      filter.action = "stock.set"
      let entries = try await PostgresAuditLog(client: fixture.tenants).newest(filter, tenant: .standard, limit: 3)
      #expect(entries.map(\.after) == ["6/0", "5/0", "4/0"] && entries.map(\.before) == ["5/0", "4/0", "3/0"] && entries.allSatisfy { $0.actor == "ann" })
    }
  }

  @Test(arguments: [
    ("UPDATE audit_log SET actor = 'bob' WHERE seq = 3", 3, "content"), ("DELETE FROM audit_log WHERE seq = 3", 3, "missing"),
    ("DELETE FROM audit_log WHERE action = 'stock.set' AND seq > 4", 5, "ends at row 4"),
    ("UPDATE audit_log a SET after = b.after FROM audit_log b WHERE a.seq IN (2, 4) AND b.seq = 6 - a.seq AND a.chain_id = b.chain_id", 2, "content"),
    ("DELETE FROM audit_log WHERE action = 'stock.set'", 1, "all rows"),
    ("DELETE FROM audit_log WHERE action = 'stock.set'; DELETE FROM audit_heads WHERE seq > 1", 1, "all rows"),
    (
      """
      INSERT INTO audit_dropped SELECT chain_id, seq, hash FROM audit_log WHERE action = 'stock.set' AND seq = 6;
      DELETE FROM audit_log WHERE action = 'stock.set'
      """, 1, "no audit.drop"
    ),
  ]) func tamperingIsNamedWithItsPlace(statement: String, row: Int64, word: String) async throws {
    try await Self.withLog { fixture, log in
      try await Self.sql(fixture, statement)
      let findings = try await log.verify().findings
      #expect(findings.contains { $0.sequence == row && $0.what.contains(word) }, "\(findings)")
    }
  }

  @Test func monthsWhoseTimeIsOverGoAndTheRestStillFollows() async throws {
    try await Self.withLog { fixture, log in
      // As if the first three of the six had been written in a month of their own, and the fourth where there was none.
      func moved(_ at: String, _ which: String) -> String {
        """
        SELECT tenant_id, timestamptz '\(at)', chain_id, seq, prev_hash, hash, actor, action, message_id, order_id, outcome, correlation_id, traceparent,
          before, after FROM moved WHERE seq \(which)
        """
      }
      try await Self.sql(
        fixture,
        """
        CREATE TABLE audit_log_2020_01 (LIKE audit_log INCLUDING ALL);
        CREATE TEMP TABLE moved AS SELECT * FROM audit_log WHERE action = 'stock.set' AND seq <= 4;
        DELETE FROM audit_log WHERE action = 'stock.set' AND seq <= 4;
        ALTER TABLE audit_log ATTACH PARTITION audit_log_2020_01 FOR VALUES FROM ('2020-01-01') TO ('2020-02-01');
        INSERT INTO audit_log \(moved("2020-01-05", "<= 3"));
        INSERT INTO audit_log \(moved("2020-02-05", "= 4"))
        """)
      let retention = AuditRetention(client: fixture.client, schema: fixture.schema)
      func drop(isTrial: Bool) async throws -> AuditRetention.Dropped {
        try await retention.drop(keeping: 12, by: "ann", at: Timestamp(microseconds: 1_790_000_000_000_100), isTrial: isTrial)
      }
      #expect(try await drop(isTrial: true).rows == 4)
      #expect(try await log.verify().rows == 7)
      let dropped = try await drop(isTrial: false)
      #expect(dropped.months == ["audit_log_2020_01"] && dropped.rows == 4)
      let left = try await log.verify()
      #expect(left.findings == [] && left.rows == 4, "two counts, the anchor, and that rows were dropped: \(left.findings)")
      #expect(try await drop(isTrial: false).rows == 0)
      try await Self.sql(fixture, "DELETE FROM audit_log WHERE action = 'stock.set' AND seq = 5")
      #expect(try await log.verify().findings.map(\.what) == ["row 5 is missing before it"])
    }
  }
}
