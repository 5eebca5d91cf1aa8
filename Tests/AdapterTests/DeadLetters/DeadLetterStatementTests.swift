import Application
import ClientRuntime
import PostgresClient
import TestSupport
import Testing

@testable import PostgresAdapter

/// What keepers and operators look for must not cost what lies settled: that may be very much more.
@Suite struct DeadLetterStatementTests {
  /// 20 that are parked, and a hundred times as many that are settled.
  private static let filled = Task {
    let client = try await PostgresFixture.make().client
    try await client.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      try session.execute(
        """
        INSERT INTO dead_letters (tenant_id, id, reason, error, error_pattern, attempts, state, body, body_size, body_sha256, headers, properties,
                                  history, first_failed_at, failed_at, settled_at)
        SELECT 'default', gen_random_uuid(), 'invalid', '', '', 1, CASE WHEN n <= 20 THEN 'parked' ELSE 'resolved' END, '', 0, '', '{}', '{}', '[]',
               now(), now(), CASE WHEN n > 20 THEN now() END
        FROM generate_series(1, 2000) AS n;
        ANALYZE dead_letters;
        SET enable_seqscan = off;
        """)
    }
    return client
  }

  @Test(arguments: ["settle a page", "settle replayed", "trim", "newest", "oldest", "take back"])
  func whatIsSettledIsNotRead(name: String) async throws {
    let filter: [Parameter] = [.text("default"), .null, .null, .null, .null, .null]
    let statements: [String: (Statement, Parameters)] = [
      "settle a page": (ReplayStatements.settlePage, [.int64(100), .text(""), .uuid(high: 0, low: 0)]),
      "settle replayed": (ReplayStatements.settleReplaying, [.int64(100)]),
      "trim": (ReplayStatements.trim, [.int64(86_400_000), .int64(86_400_000), .int64(100), .int64(100)]),
      "newest": (DeadLetterStatements.newest([.parked, .replaying]), Parameters(filter + [.timestamp(.max), .uuid(high: 0, low: 0), .int64(50)])),
      "oldest": (
        DeadLetterStatements.oldest([.parked, .replaying]),
        Parameters(filter + [.timestamp(0), .uuid(high: 0, low: 0), .timestamp(4_000_000_000_000_000), .int64(50)])
      ),
      "take back": (ReplayStatements.takeBack, [.int64(1_000), .text("[]")]),
    ]
    let (statement, parameters) = try #require(statements[name])
    let plan = try await Self.filled.value.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      let words = name.split(separator: " ").joined(separator: "_")
      let explain = Statement(name: "explain_\(words)", sql: "EXPLAIN (ANALYZE, TIMING OFF) \(statement.sql)", parameterTypes: statement.parameterTypes)
      let rows = try session.query(explain, parameters)
      return (0..<rows.rowCount).map { rows.text($0, 0) }
    }
    let removed = plan.compactMap { line in line.contains("Rows Removed by Filter") ? Int(line.split(separator: ":").last!.filter(\.isNumber)) : nil }
    #expect(removed.allSatisfy { $0 <= 20 }, "\(plan.joined(separator: "\n"))")
    #expect(!plan.contains { $0.contains("Seq Scan on dead_letters") }, "\(plan.joined(separator: "\n"))")
  }
}
