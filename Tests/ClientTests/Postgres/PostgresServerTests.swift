import ClientRuntime
import Glibc
import PostgresClient
import Testing
import TestSupport

/// Which server is taken, what it says beside its results, and what many jobs leave behind.
@Suite(.serialized, .tags(.integration), .enabled(if: PrivatePostgres.isInstalled))
struct PostgresServerTests {
  @Test func ofSeveralHostsTheOneThatAnswersIsTaken() async throws {
    try await withServer { server, _ in
      let dead = freePort()
      try await withClient(of: "postgres://orders@127.0.0.1:\(dead),127.0.0.1:\(server.port)/postgres") { client in #expect(await answers(client)) }
    }
  }

  @Test func aReadOnlyServerIsNotTaken() async throws {
    try await withServer(settings: ["default_transaction_read_only=on"]) { server, _ in
      try await withClient(of: server.url) { client in
        #expect(await eventually { if case .disconnected(let reason) = client.state { reason.contains("read-only") } else { false } })
      }
      try await withClient(of: server.url + "?target_session_attrs=any") { client in
        let error = await failure(of: client) { session throws(PostgresError) in try session.execute("CREATE TABLE t ()") }
        #expect(error?.sqlState == "25006" && error?.meansServerIsUnwell == true)
        // It may have become a standby: the client looks again for one that takes writes.
        #expect(await answers(client))
      }
    }
  }

  @Test func aCommitWhoseWaitForTheStandbyWasCancelledIsReported() async throws {
    try await withServer(settings: ["synchronous_standby_names=nobody", "synchronous_commit=local"]) { server, _ in
      try await withClient(of: server.url) { observer in
        try await withClient(of: server.url) { client in
          #expect(await answers(client))
          #expect(await observer.waitUntilConnected(deadline: .soon))
          let pid = try await backend(client)
          async let reports = client.run(deadline: .soon) { session throws(PostgresError) in
            try session.execute("CREATE TABLE t (n int)")
            try session.execute("SET synchronous_commit = on")
            _ = try session.pipeline { pipeline in
              pipeline.append(.begin)
              pipeline.append(statement("INSERT INTO t VALUES (1)"))
              pipeline.append(.commit)
            }
            let first = session.commitWasNotReplicated
            let rows = try session.query(statement("SELECT * FROM t"))
            return [first, session.commitWasNotReplicated, rows.rowCount == 1]
          }
          let cancel = Statement(
            name: "cancel", sql: "SELECT pg_cancel_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND wait_event = 'SyncRep'", parameterTypes: [.int4])
          let cancelled = try await eventually {
            try await observer.run(deadline: .soon) { session throws(PostgresError) in !(try session.query(cancel, [.int32(pid)]).isEmpty) }
          }
          #expect(cancelled)
          #expect(try await reports == [true, false, true])
        }
      }
    }
  }

  @Test func manyJobsLeaveNoMemoryBehind() async throws {
    try await withServer { server, _ in
      try await withClient(of: server.url) { client in
        #expect(await answers(client))
        let select = Statement(name: "rows", sql: "SELECT repeat('x', 1000) FROM generate_series(1, $1)", parameterTypes: [.int8])
        @Sendable func round(_ session: PostgresSession) throws(PostgresError) {
          let rows = try session.pipeline { pipeline in
            pipeline.append(select, [.int64(4)])
            pipeline.append(one, [.int64(1)])
          }
          precondition(rows[0].rowCount == 4)
          do throws(PostgresError) { try session.execute("NOT SQL") } catch { precondition(error.sqlState == "42601") }
        }
        for _ in 0..<500 { try await client.run(deadline: .soon, round) }
        let before = allocatedBytes()
        for _ in 0..<5_000 { try await client.run(deadline: .soon, round) }
        // One result lost in each round would be 5,000 times 4,000 bytes.
        #expect(await eventually(within: .seconds(150)) { allocatedBytes() - before < 5_000_000 })
      }
    }
  }

  @Test func jobsOfManyTasksRunOneAfterTheOtherInTheirOrder() async throws {
    try await withServer { server, _ in
      let client = PostgresClient(configuration: try PostgresConfiguration(url: server.url))
      let results = await withTaskGroup(of: Int64?.self) { group in
        for n in 0..<200 {
          group.addTask {
            try? await client.run(deadline: .soon) { session throws(PostgresError) in try session.query(one, [.int64(Int64(n))]).int64(0, 0) }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      #expect(results.compactMap(\.self).sorted() == (1...200).map(Int64.init))
      await client.close()
      let error = await failure(of: client) { session throws(PostgresError) in try session.execute("SELECT 1") }
      guard case .unavailable = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      #expect(client.state == .closed)
    }
  }
}
