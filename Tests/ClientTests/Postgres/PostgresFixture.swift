import Glibc
import ClientRuntime
import PostgresClient
import Testing
import TestSupport

extension Tag {
  @Tag static var integration: Self
  @Tag static var chaos: Self
}

/// A client of the stack's database (or of `url`), closed after the test.
func withClient<R>(
  of url: String? = nil, schema: String? = nil, statementTimeout: Duration = .seconds(15), lockTimeout: Duration = .seconds(5),
  _ body: (PostgresClient) async throws -> R
) async throws -> R {
  let url = try #require(url ?? Stack.database)
  let configuration = try PostgresConfiguration(
    url: url, applicationName: "client-tests", schema: schema, statementTimeout: statementTimeout, lockTimeout: lockTimeout)
  let client = PostgresClient(configuration: configuration)
  do {
    let result = try await body(client)
    await client.close()
    return result
  } catch {
    await client.close()
    throw error
  }
}

/// A server of the test's own, gone afterwards.
func withServer(
  settings: [String] = [], _ body: (_ server: PrivatePostgres, _ process: ServerProcess) async throws -> Void
) async throws {
  let (server, process) = try #require(await PrivatePostgres.start(settings: settings))
  do {
    try await body(server, process)
  } catch {
    await process.end(SIGKILL)
    await server.remove()
    throw error
  }
  await process.end(SIGKILL)
  await server.remove()
}

/// The error that the job ends in; nil where it ends well.
func failure<T: Sendable>(
  of client: PostgresClient, deadline: Deadline = .soon, _ job: @escaping @Sendable (PostgresSession) throws(PostgresError) -> T
) async -> PostgresError? {
  do throws(PostgresError) {
    _ = try await client.run(deadline: deadline, job)
    return nil
  } catch {
    return error
  }
}

func statement(_ sql: String) -> Statement { Statement(name: sql, sql: sql) }

/// `SELECT $1 + 1`
let one = Statement(name: "one", sql: "SELECT $1 + 1", parameterTypes: [.int8])

/// Whether the client gets an answer in the end.
func answers(_ client: PostgresClient) async -> Bool {
  await eventually {
    await failure(of: client, deadline: .after(.seconds(5))) { session throws(PostgresError) in try session.query(one, [.int64(1)]) } == nil
  }
}

/// The process number of the client's backend.
func backend(_ client: PostgresClient) async throws -> Int32 {
  try await client.run(deadline: .soon) { session throws(PostgresError) in try session.query(statement("SELECT pg_backend_pid()")).int32(0, 0) }
}

/// Whether that backend comes to wait for something in a statement.
func waits(_ pid: Int32, seenBy observer: PostgresClient) async throws -> Bool {
  let waits = Statement(
    name: "waits", sql: "SELECT state = 'active' AND wait_event IS NOT NULL FROM pg_stat_activity WHERE pid = $1", parameterTypes: [.int4])
  return try await eventually {
    try await observer.run(deadline: .soon) { session throws(PostgresError) in try session.query(waits, [.int32(pid)]).bool(0, 0) }
  }
}
