import ClientRuntime
import PostgresClient
import Testing
import TestSupport

/// What two sessions do to each other, and what the server's limits do to one.
@Suite(.tags(.integration), .enabled(if: Stack.database != nil))
struct PostgresConflictTests {
  private let schema = "client tests \\ \"\(UInt64.random(in: .min ... .max))\""

  /// Two clients whose `search_path` is a schema of this test's own, with the rows 1 and 2.
  private func withTwoClients(lockTimeout: Duration = .seconds(5), _ body: (PostgresClient, PostgresClient) async throws -> Void) async throws {
    let quoted = "\"\(schema.replacing("\"", with: "\"\""))\""
    try await withClient { owner in
      try await owner.run(deadline: .soon) { session throws(PostgresError) in
        try session.execute("CREATE SCHEMA \(quoted); CREATE TABLE \(quoted).notes AS SELECT n AS id, 0 AS value FROM generate_series(1, 2) n")
        try session.execute("CREATE UNIQUE INDEX notes_key ON \(quoted).notes (id)")
      }
      let result: Result<Void, any Error>
      do {
        try await withClient(schema: schema, lockTimeout: lockTimeout) { a in
          try await withClient(schema: schema, lockTimeout: lockTimeout) { b in try await body(a, b) }
        }
        result = .success(())
      } catch { result = .failure(error) }
      try await owner.run(deadline: .soon) { session throws(PostgresError) in try session.execute("DROP SCHEMA \(quoted) CASCADE") }
      try result.get()
    }
  }

  private static func update(_ id: Int) -> Statement { statement("UPDATE notes SET value = value + 1 WHERE id = \(id)") }

  @Test func aSecondRowOfOneKeyIsAUniqueViolationThatNamesItsConstraint() async throws {
    try await withTwoClients { a, b in
      let insert = statement("INSERT INTO notes VALUES (3, 0)")
      _ = try await a.run(deadline: .soon) { session throws(PostgresError) in try session.query(insert) }
      let error = await failure(of: b) { session throws(PostgresError) in try session.query(insert) }
      #expect(error?.isUniqueViolation == true && error?.serverError?.constraint == "notes_key" && error?.isSerializationOrDeadlock == false)
      #expect(error?.serverError?.detail?.contains("(3)") == true && error?.description.contains("(3)") == false)
    }
  }

  @Test func aLockThatIsNotGivenInTimeIsAConflict() async throws {
    try await withTwoClients(lockTimeout: .milliseconds(50)) { a, b in
      let held = Gate(), tried = Gate()
      async let holder: Void = a.run(deadline: .soon) { session throws(PostgresError) in
        _ = try session.pipeline { pipeline in
          pipeline.append(.begin)
          pipeline.append(Self.update(1))
        }
        held.open()
        tried.block()
        _ = try session.query(.commit)
      }
      #expect(await held.opened())
      let error = await failure(of: b) { session throws(PostgresError) in try session.query(Self.update(1)) }
      tried.open()
      try await holder
      #expect(error?.sqlState == "55P03" && error?.isSerializationOrDeadlock == true && error?.isRetriable == true)
    }
  }

  @Test func ofTwoInADeadlockOneIsToldAndBothSucceedInTheEnd() async throws {
    try await withTwoClients { a, b in
      let gates = [Gate(), Gate()]
      @Sendable func run(_ client: PostgresClient, own: Int) async -> PostgresError? {
        await failure(of: client) { session throws(PostgresError) in
          _ = try session.pipeline { pipeline in
            pipeline.append(.begin)
            pipeline.append(Self.update(own + 1))
          }
          gates[own].open()
          gates[1 - own].block()
          _ = try session.pipeline { pipeline in
            pipeline.append(Self.update(2 - own))
            pipeline.append(.commit)
          }
        }
      }
      async let first = run(a, own: 0)
      async let second = run(b, own: 1)
      let errors = await [first, second].compactMap(\.self)
      #expect(errors.count == 1 && errors.first?.sqlState == "40P01")
      #expect(errors.first?.isSerializationOrDeadlock == true && errors.first?.serverError?.statementIndex == 0)
      let values = try await a.run(deadline: .soon) { session throws(PostgresError) in try session.query(statement("SELECT sum(value) FROM notes")) }
      #expect(values.int64(0, 0) == 2)
    }
  }

  @Test func aSerializationFailureIsAConflict() async throws {
    try await withTwoClients { a, b in
      let error = await failure(of: a) { session throws(PostgresError) in
        _ = try session.pipeline { pipeline in
          pipeline.append(statement("BEGIN ISOLATION LEVEL REPEATABLE READ"))
          pipeline.append(statement("SELECT * FROM notes"))
        }
        let other = Gate()
        Task {
          _ = await failure(of: b) { session throws(PostgresError) in try session.query(Self.update(1)) }
          other.open()
        }
        other.block()
        _ = try session.query(Self.update(1))
      }
      #expect(error?.sqlState == "40001" && error?.isSerializationOrDeadlock == true)
    }
  }

  @Test func aStatementPastItsTimeIsCancelledByTheServer() async throws {
    try await withClient(statementTimeout: .milliseconds(50)) { client in
      let error = await failure(of: client) { session throws(PostgresError) in try session.query(statement("SELECT pg_sleep(30)")) }
      #expect(error?.sqlState == "57014" && error?.isRetriable == true && error?.outcomeIsUnknown == false)
      #expect(client.state.isConnected)
    }
  }

  @Test func settingsOfTheSessionHold() async throws {
    let address = try #require(Stack.database)
    let separator = address.contains("?") ? "&" : "?"
    try await withClient(of: address + separator + "options=-c%20lock_timeout%3D77", schema: schema) { client in
      let shown = try await client.run(deadline: .soon) { session throws(PostgresError) in
        try ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "search_path", "application_name", "client_encoding"]
          .map { name throws(PostgresError) in try session.query(statement("SHOW \(name)")).text(0, 0) }
      }
      #expect(shown == ["15s", "77ms", "15s", "\"\(schema.replacing("\"", with: "\"\""))\"", "client-tests", "UTF8"])
    }
  }
}
