import ClientRuntime
import PostgresClient
import Testing
import TestSupport

@Suite(.tags(.integration), .enabled(if: Stack.database != nil))
struct PostgresPipelineTests {
  static let insert = Statement(name: "insert", sql: "INSERT INTO notes (id) VALUES ($1)", parameterTypes: [.int8])
  static let select = Statement(name: "select", sql: "SELECT id FROM notes ORDER BY id")

  private func withNotes(_ body: (PostgresClient) async throws -> Void) async throws {
    try await withClient { client in
      try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.execute("CREATE TEMP TABLE notes (id int8 PRIMARY KEY CHECK (id >= 0)); INSERT INTO notes VALUES (1000)")
      }
      try await body(client)
    }
  }

  private func ids(_ client: PostgresClient) async throws -> [Int64] {
    let rows = try await client.run(deadline: .soon) { session throws(PostgresError) in try session.query(Self.select) }
    return (0..<rows.rowCount).map { rows.int64($0, 0) }
  }

  @Test func twentyStatementsReturnTheirResultsInOrder() async throws {
    try await withNotes { client in
      let results = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.pipeline { pipeline in
          pipeline.append(.begin)
          for id in 0..<17 { pipeline.append(Self.insert, [.int64(Int64(id))]) }
          pipeline.append(Self.select)
          pipeline.append(.commit)
        }
      }
      #expect(results.count == 20)
      #expect(results.map(\.commandTag) == ["BEGIN"] + Array(repeating: "INSERT 0 1", count: 17) + ["SELECT 18", "COMMIT"])
      #expect(results[1].affectedRows == 1)
      #expect((0..<18).map { results[18].int64($0, 0) } == (0..<17).map(Int64.init) + [1000])
    }
  }

  @Test(arguments: [true, false])
  func anErrorInTheMiddleUndoesTheWholeAndNamesItsStatement(isExplicit: Bool) async throws {
    try await withNotes { client in
      let error = await failure(of: client) { session throws(PostgresError) in
        try session.pipeline { pipeline in
          if isExplicit { pipeline.append(.begin) }
          for id in 0..<10 { pipeline.append(Self.insert, [.int64(id == 6 ? -6 : Int64(id))]) }
          if isExplicit { pipeline.append(.commit) }
        }
      }
      let server = try #require(error?.serverError)
      #expect(server.sqlState == "23514" && server.severity == "ERROR" && server.constraint == "notes_id_check")
      #expect(server.statementIndex == (isExplicit ? 7 : 6) && server.statement == "insert")
      #expect(!server.isRetriable && !server.meansServerIsUnwell)
      let ids = try await ids(client)
      #expect(ids == [1000])
      #expect(client.state.isConnected)
    }
  }

  @Test func aStatementThatDoesNotParseFailsAloneAndIsPreparedAgain() async throws {
    try await withNotes { client in
      let broken = Statement(name: "broken", sql: "SELECT * FROM later")
      let error = await failure(of: client) { session throws(PostgresError) in
        try session.pipeline { pipeline in
          pipeline.append(Self.select)
          pipeline.append(broken)
          pipeline.append(Self.insert, [.int64(5)])
        }
      }
      #expect(error?.sqlState == "42P01" && error?.serverError?.statementIndex == 1)
      let rows = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.execute("CREATE TEMP TABLE later AS SELECT 7::int8 AS n")
        return try session.pipeline { pipeline in
          pipeline.append(broken)
          pipeline.append(Self.insert, [.int64(5)])
        }
      }
      #expect(rows[0].int64(0, 0) == 7)
      let ids = try await ids(client)
      #expect(ids == [5, 1000])
    }
  }

  @Test func aCommitOfAFailedTransactionIsAnError() async throws {
    try await withNotes { client in
      let errors = try await client.run(deadline: .soon) { session throws(PostgresError) in
        var errors: [PostgresError] = []
        do throws(PostgresError) {
          _ = try session.pipeline { pipeline in
            pipeline.append(.begin)
            pipeline.append(Self.insert, [.int64(1)])
            pipeline.append(Self.insert, [.int64(1)])
          }
        } catch { errors.append(error) }
        do throws(PostgresError) { _ = try session.query(.commit) } catch { errors.append(error) }
        return errors
      }
      #expect(errors.map(\.sqlState) == ["23505", "25P02"])
      #expect(errors.first?.isUniqueViolation == true)
      let ids = try await ids(client)
      #expect(ids == [1000])
    }
  }

  @Test func aJobThatThrowsOrForgetsItsTransactionLeavesNone() async throws {
    try await withNotes { client in
      let thrown = await failure(of: client) { session throws(PostgresError) in
        try session.execute("BEGIN; INSERT INTO notes VALUES (1)")
        throw .misuse("on purpose")
      }
      #expect(thrown?.description.contains("on purpose") == true)
      let forgotten = await failure(of: client) { session throws(PostgresError) in try session.execute("BEGIN; INSERT INTO notes VALUES (2)") }
      #expect(forgotten?.description.contains("left its transaction open") == true)
      let ids = try await ids(client)
      #expect(ids == [1000])
    }
  }

  @Test func parametersOfManyMegabytesGoThroughBothWays() async throws {
    try await withClient { client in
      let size = 4 << 20
      let echo = Statement(name: "echo", sql: "SELECT $1", parameterTypes: [.bytea])
      let results = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.pipeline { pipeline in
          for byte in 0..<8 as Range<UInt8> { pipeline.append(echo, [.bytea([UInt8](repeating: byte, count: size))]) }
        }
      }
      let right = results.enumerated().allSatisfy { index, rows in rows.withBytes(0, 0) { $0.count == size && $0.allSatisfy { $0 == index } } }
      #expect(results.count == 8 && right)
    }
  }

  @Test func aPlanThatWentStaleIsPreparedAgainAtTheNextTry() async throws {
    try await withNotes { client in
      let all = Statement(name: "all", sql: "SELECT * FROM notes")
      _ = try await client.run(deadline: .soon) { session throws(PostgresError) in
        _ = try session.query(all)
        try session.execute("ALTER TABLE notes ADD COLUMN more text")
      }
      let error = await failure(of: client) { session throws(PostgresError) in try session.query(all) }
      #expect(error?.sqlState == "0A000" && error?.isRetriable == true)
      let columns = try await client.run(deadline: .soon) { session throws(PostgresError) in try session.query(all).columnCount }
      #expect(columns == 2)
    }
  }

  @Test func twoStatementsOfOneNameAreRefused() async throws {
    try await withClient { client in
      let error = await failure(of: client) { session throws(PostgresError) in
        try session.pipeline { pipeline in
          pipeline.append(Statement(name: "one", sql: "SELECT 1"))
          pipeline.append(Statement(name: "one", sql: "SELECT 2"))
        }
      }
      guard case .misuse = error else {
        Issue.record("\(String(describing: error))")
        return
      }
    }
  }

  @Test func executeRunsSeveralStatementsAsOneTransactionAndCollectsNotices() async throws {
    try await withNotes { client in
      let error = await failure(of: client) { session throws(PostgresError) in
        try session.execute("INSERT INTO notes VALUES (1); INSERT INTO notes VALUES (1); INSERT INTO notes VALUES (2)")
      }
      #expect(error?.isUniqueViolation == true)
      let ids = try await ids(client)
      #expect(ids == [1000])
      let notices = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try session.execute("DO $$ BEGIN RAISE WARNING 'mind the gap'; END $$")
        return session.notices
      }
      #expect(notices == ["WARNING 01000: mind the gap"])
    }
  }

  @Test func copyIsRefusedAndTheClientConnectsAgain() async throws {
    try await withClient { client in
      let error = await failure(of: client) { session throws(PostgresError) in try session.execute("COPY pg_class TO STDOUT") }
      #expect(error?.isRetriable == false)
      let one = try await client.run(deadline: .soon) { session throws(PostgresError) in try session.query(statement("SELECT 1::int8")).int64(0, 0) }
      #expect(one == 1)
    }
  }
}
