import ClientRuntime
import Glibc
import PostgresClient
import TestSupport
import Testing

/// Several hosts in one URL, of which one takes writes.
@Suite(.serialized, .tags(.integration), .enabled(if: PrivatePostgres.isInstalled))
struct PostgresHostTests {
  @Test(arguments: [
    ("host=a,b,c port=1,2 password=hunter2", "3 hosts and 2 ports"), ("host=a,b hostaddr=127.0.0.1 password=hunter2", "2 hosts and 1 addresses"),
    ("postgres://u:hunter2@a,,b/db", "one of the database URL's 3 hosts is empty"),
    ("postgres://u:hunter2@a,/db", "one of the database URL's 2 hosts is empty"),
    ("postgres://u:hunter2@a:1,b:port/db", "no valid host and port"),
  ])
  func hostsThatDoNotFitAreRefusedInASentence(url: String, sentence: String) {
    let error = #expect(throws: PostgresConfigurationError.self) { try PostgresConfiguration(url: url) }
    #expect(error?.description.contains(sentence) == true && error?.description.contains("hunter2") == false, "\(error?.description ?? "")")
  }

  @Test func onePortCountsForAllHosts() throws {
    #expect(try PostgresConfiguration(url: "host=a,b port=7 user=u dbname=d").description == "u@a:7,b:7/d")
  }

  @Test func aServerThatTurnsReadOnlyIsLeftForTheOneThatTakesWritesAlsoByWhoOnlyReads() async throws {
    try await withServer { one, _ in
      try await withServer { two, _ in
        try await withClient(of: "postgres://orders@127.0.0.1:\(one.port),127.0.0.1:\(two.port)/postgres") { client in
          #expect(await answers(client))
          #expect(client.state.server?.hasSuffix(" at 127.0.0.1:\(one.port)") == true, "\(client.state)")
          try await turn(one, readOnly: true)
          #expect(await answersAt(two, client))
          // And back, as after a second failover.
          try await turn(one, readOnly: false)
          try await turn(two, readOnly: true)
          #expect(await answersAt(one, client))
        }
      }
    }
  }

  @Test func aPrimaryThatIsGoneWithoutAWordCostsNoTimeoutWhereAnotherTakesItsPlace() async throws {
    try await withServer { server, _ in
      let proxy = TCPProxy(to: server.port)
      let url = "postgres://orders@127.0.0.1:\(proxy.port),127.0.0.1:\(server.port)/postgres"
      func connected() async throws -> PostgresClient {
        let client = PostgresClient(configuration: try PostgresConfiguration(url: url, connectTimeout: .seconds(20)))
        #expect(await answers(client))
        return client
      }
      // Where the first try fails, on a crowded machine, it goes straight to the second host, and there is nothing to see.
      var client = try await connected()
      for _ in 0..<10 where client.state.server?.hasSuffix(":\(proxy.port)") != true {
        await client.close()
        client = try await connected()
      }
      #expect(client.state.server?.hasSuffix(":\(proxy.port)") == true, "\(client.state)")
      proxy.becomeBlackHole()
      let error = await failure(of: client, deadline: .after(.milliseconds(300))) { session throws(PostgresError) in try session.query(one, [.int64(1)]) }
      guard case .timeout = error else {
        Issue.record("\(String(describing: error))")
        return
      }
      let (isThere, took) = await timed { [client] in await eventually { client.state.server?.hasSuffix(":\(server.port)") == true } }
      #expect(isThere && took < .seconds(10), "\(took)")
      #expect(await answers(client))
      proxy.close()
      await client.close()
    }
  }

  /// Asks by jobs that only read until the client is at that server.
  private func answersAt(_ server: PrivatePostgres, _ client: PostgresClient) async -> Bool {
    await eventually {
      _ = await failure(of: client, deadline: .after(.seconds(5))) { session throws(PostgresError) in try session.query(one, [.int64(1)]) }
      return client.state.server?.hasSuffix(" at 127.0.0.1:\(server.port)") == true
    }
  }

  private func turn(_ server: PrivatePostgres, readOnly: Bool) async throws {
    try await withClient(of: server.url + "?target_session_attrs=any&options=-c%20default_transaction_read_only%3Doff") { administrator in
      try await administrator.run(deadline: .soon) { session throws(PostgresError) in
        try session.execute("ALTER SYSTEM SET default_transaction_read_only = \(readOnly ? "on" : "off")")
        try session.execute("SELECT pg_reload_conf()")
      }
    }
  }
}
