import ClientRuntime
import Glibc
import PostgresClient
import Testing
import TestSupport

/// Servers that die, freeze or vanish in the middle of a call.
@Suite(.serialized, .tags(.integration, .chaos), .enabled(if: PrivatePostgres.isInstalled))
struct PostgresFaultTests {
  @Test(arguments: [SIGQUIT, SIGINT])
  func aServerStoppedInMidQueryLosesTheConnectionAndIsFoundAgain(how: Int32) async throws {
    try await withServer { server, process in
      try await withClient(of: server.url) { observer in
        try await withClient(of: server.url) { client in
          #expect(await answers(client))
          #expect(await observer.waitUntilConnected(deadline: .soon))
          let pid = try await backend(client)
          async let lost = failure(of: client) { session throws(PostgresError) in try session.query(statement("SELECT pg_sleep(60)")) }
          #expect(try await waits(pid, seenBy: observer))
          await process.end(how)
          let error = await lost
          guard case .connectionLost(let reason) = error else {
            Issue.record("\(String(describing: error))")
            return
          }
          #expect(reason.contains("57P0"))
          #expect(error?.outcomeIsUnknown == true && error?.isRetriable == true)
          #expect(await eventually { if case .disconnected = client.state { true } else { false } })
          let again = await server.start()
          // The same statements are prepared anew on the new connection.
          #expect(await answers(client))
          await again.end(SIGQUIT)
        }
      }
    }
  }

  @Test(arguments: [true, false])
  func aTransactionCutOffIsUnknownOnlyIfItsCommitWasSent(withCommit: Bool) async throws {
    try await withServer { server, _ in
      try await withClient(of: server.url) { observer in
        try await withClient(of: server.url) { client in
          #expect(await answers(client))
          #expect(await observer.waitUntilConnected(deadline: .soon))
          let pid = try await backend(client)
          async let lost = failure(of: client) { session throws(PostgresError) in
            try session.pipeline { pipeline in
              pipeline.append(.begin)
              pipeline.append(statement("SELECT pg_sleep(60)"))
              if withCommit { pipeline.append(.commit) }
            }
          }
          #expect(try await waits(pid, seenBy: observer))
          _ = try await observer.run(deadline: .soon) { session throws(PostgresError) in
            try session.query(Statement(name: "end", sql: "SELECT pg_terminate_backend($1)", parameterTypes: [.int4]), [.int32(pid)])
          }
          let error = await lost
          #expect(error?.outcomeIsUnknown == withCommit)
          if case .unavailable = error { #expect(!withCommit) } else if case .connectionLost = error { #expect(withCommit) } else { Issue.record("\(error!)") }
          #expect(await answers(client))
        }
      }
    }
  }

  @Test func anIdleConnectionsEndIsNoticedWithoutAJob() async throws {
    try await withServer { server, process in
      try await withClient(of: server.url) { client in
        #expect(await client.waitUntilConnected(deadline: .soon))
        guard case .connected(let name) = client.state else {
          Issue.record("\(client.state)")
          return
        }
        #expect(name.hasPrefix("PostgreSQL 1"))
        await process.end(SIGQUIT)
        #expect(await eventually { !client.state.isConnected })
        let error = await failure(of: client, deadline: .after(.milliseconds(100))) { session throws(PostgresError) in try session.execute("SELECT 1") }
        guard case .unavailable = error else {
          Issue.record("\(String(describing: error))")
          return
        }
        let again = await server.start()
        #expect(await client.waitUntilConnected(deadline: .soon))
        await again.end(SIGQUIT)
      }
    }
  }

  @Test func aFrozenBackendCostsAJobItsDeadlineAndThoseBehindItTheirs() async throws {
    try await withServer { server, _ in
      try await withClient(of: server.url) { client in
        #expect(await answers(client))
        let pid = try await backend(client)
        kill(pid, SIGSTOP)
        let begun = Gate()
        async let first = timed {
          await failure(of: client, deadline: .after(.milliseconds(900))) { session throws(PostgresError) in
            begun.open()
            return try session.query(one, [.int64(1)])
          }
        }
        #expect(await begun.opened())
        let (second, short) = await timed {
          await failure(of: client, deadline: .after(.milliseconds(100))) { session throws(PostgresError) in try session.query(one, [.int64(1)]) }
        }
        guard case .unavailable = second else {
          Issue.record("\(String(describing: second))")
          return
        }
        #expect(short >= .milliseconds(100) && short < .milliseconds(700))
        let (error, long) = await first
        guard case .timeout = error else {
          Issue.record("\(String(describing: error))")
          return
        }
        #expect(long >= .milliseconds(900) && long < .seconds(4))
        // The new connection has a backend of its own.
        #expect(await answers(client))
        kill(pid, SIGCONT)
      }
    }
  }

  @Test func aFrozenServerIsGivenUpAtTheConnectTimeout() async throws {
    try await withServer { server, process in
      try await withClient(of: server.url) { client in #expect(await answers(client)) }
      process.freeze()
      let client = PostgresClient(configuration: try PostgresConfiguration(url: server.url, connectTimeout: .milliseconds(200)))
      #expect(await eventually { if case .disconnected(let reason) = client.state { reason.contains("connect timeout") } else { false } })
      process.thaw()
      #expect(await client.waitUntilConnected(deadline: .soon))
      process.freeze()
      let (_, took) = await timed { await client.close() }
      #expect(took < .seconds(5))
      process.thaw()
    }
  }

  @Test func aBlackHoleKeepsTheDeadlineWhileSendingAndWhileWaiting() async throws {
    try await withServer { server, _ in
      let proxy = TCPProxy(to: server.port)
      defer { proxy.close() }
      try await withClient(of: "postgres://orders@127.0.0.1:\(proxy.port)/postgres") { client in
        for size in [1, 64 << 20] {
          #expect(await answers(client))
          proxy.becomeBlackHole()
          let echo = Statement(name: "echo", sql: "SELECT length($1)", parameterTypes: [.bytea])
          let bytes = [UInt8](repeating: 1, count: size)
          let (error, took) = await timed {
            await failure(of: client, deadline: .after(.milliseconds(500))) { session throws(PostgresError) in try session.query(echo, [.bytea(bytes)]) }
          }
          guard case .timeout = error else {
            Issue.record("\(String(describing: error))")
            return
          }
          #expect(took >= .milliseconds(500) && took < .seconds(5))
          proxy.forwardAgain()
        }
        #expect(await answers(client))
      }
    }
  }
}
