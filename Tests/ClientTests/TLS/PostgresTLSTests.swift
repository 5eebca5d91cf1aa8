import ClientRuntime
import Foundation
import Glibc
import PostgresClient
import TestSupport
import Testing

/// PostgreSQL by TLS: what libpq does with its URL's parameters, and what becomes of it in words.
@Suite(.serialized, .tags(.integration), .enabled(if: PrivatePostgres.isInstalled && TestCertificates.isInstalled))
struct PostgresTLSTests {
  @Test func aVerifiedConnectionTakesLargeAnswersAndSmallOnes() async throws {
    try await withTLSServer { server in
      try await withClient(of: server.url("sslmode=verify-full", trusting: "authority")) { client in
        #expect(await answers(client))
        #expect(client.state.server?.hasPrefix("PostgreSQL ") == true, "\(client.state)")
        #expect(client.state.server?.hasSuffix(" (TLSv1.3) at localhost:\(server.port)") == true, "\(client.state)")
        let large = Statement(
          name: "large", sql: "SELECT repeat(chr(97 + n::int % 26), 200 * 1024) FROM generate_series(1, $1) n", parameterTypes: [.int8])
        let echo = Statement(name: "echo", sql: "SELECT octet_length($1), $1", parameterTypes: [.text])
        for round in 0..<20 {
          let (rows, echoed) = try await client.run(deadline: .soon) { session throws(PostgresError) in
            let results = try session.pipeline { pipeline in
              for n in 0..<200 { pipeline.append(one, [.int64(Int64(n))]) }
              pipeline.append(large, [.int64(20)])
              pipeline.append(echo, [.text(String(repeating: "x", count: 3_000_000 + round))])
            }
            return (results[200].rowCount, results[201].int32(0, 0))
          }
          #expect(rows == 20 && echoed == 3_000_000 + round)
        }
      }
    }
  }

  @Test func whatIsNotVerifiedIsShown() async throws {
    try await withTLSServer(names: ["elsewhere.example"]) { server in
      try await withClient(of: server.url("sslmode=verify-ca", trusting: "authority")) { client in
        #expect(await answers(client))
        #expect(client.state.server?.contains("(TLSv1.3, name unverified)") == true, "\(client.state)")
      }
      // As libpq does it where the URL says nothing.
      try await withClient(of: server.url("")) { client in
        #expect(await answers(client))
        #expect(client.state.server?.contains("(TLSv1.3, unverified)") == true, "\(client.state)")
      }
      try await withClient(of: server.url("sslmode=disable")) { client in
        #expect(await answers(client))
        #expect(client.state.server?.contains("TLS") == false, "\(client.state)")
      }
    }
  }

  @Test(arguments: [
    (["elsewhere.example"], 2, "authority", #"server certificate for "elsewhere.example" does not match host name "localhost""#),
    (["localhost"], -1, "authority", "the server's certificate has expired"),
    (["localhost"], 2, "stranger", "the server's certificate is signed by no authority in $trusted"),
  ])
  func aServerIsRefusedInASentenceThatSaysWhy(names: [String], days: Int, trusted: String, sentence: String) async throws {
    try await withTLSServer(names: names, days: days) { server in
      try await withClient(of: server.url("sslmode=verify-full", trusting: trusted)) { client in
        #expect(await refused(client, sentence.replacing("$trusted", with: server.files.certificate(trusted))), "\(client.state)")
      }
    }
  }

  @Test func aServerWithoutTLSIsRefused() async throws {
    let files = try await TestCertificates()
    try await withServer { server, _ in
      let url = "postgres://orders@localhost:\(server.port)/postgres?sslmode=verify-full&sslrootcert=\(files.certificate("authority"))"
      try await withClient(of: url) { client in
        #expect(await refused(client, "server does not support SSL, but SSL was required"), "\(client.state)")
      }
    }
    await files.remove()
  }

  @Test func aServerThatNeverAnswersCostsTheConnectTimeout() async throws {
    let (listener, port) = listenOnLoopback()
    let configuration = try PostgresConfiguration(url: "postgres://orders@127.0.0.1:\(port)/postgres?sslmode=require", connectTimeout: .milliseconds(500))
    let client = PostgresClient(configuration: configuration)
    let (isTold, took) = await timed { await refused(client, "no answer from 127.0.0.1:\(port) within the connect timeout") }
    #expect(isTold && took > .milliseconds(300) && took < .seconds(10), "\(took) \(client.state)")
    await client.close()
    close(listener)
  }

  @Test func aServerThatWantsAClientCertificateGetsItOrSaysSo() async throws {
    try await withTLSServer(access: "hostssl all all 127.0.0.1/32 trust clientcert=verify-ca") { server in
      try await server.files.issue("client", for: ["client"])
      try await server.files.issue("impostor", by: "stranger", for: ["client"])
      for (name, sentence) in [(nil, "connection requires a valid client certificate"), ("impostor", "unknown ca")] {
        try await withClient(of: server.url("sslmode=verify-full", trusting: "authority", showing: name)) { client in
          #expect(await refused(client, sentence), "\(client.state)")
        }
      }
      try await withClient(of: server.url("sslmode=verify-full", trusting: "authority", showing: "client")) { client in #expect(await answers(client)) }
    }
  }

  @Test func filesAreReadAnewForEachConnection() async throws {
    try await withTLSServer { server in
      try await server.files.replace("trusted", by: "stranger")
      try await withClient(of: server.url("sslmode=verify-full", trusting: "trusted")) { client in
        #expect(await refused(client, "signed by no authority in \(server.files.certificate("trusted"))"), "\(client.state)")
        try await server.files.replace("trusted", by: "authority")
        #expect(await answers(client))
        // The server's own runs out; the connection that is there lives on, and the next one does not come about.
        try await server.files.issue("old", for: ["localhost"], days: -1, user: "postgres")
        try await server.files.issue("new", for: ["localhost"], user: "postgres")
        try await server.files.replace("server", by: "old")
        server.process.signal(SIGHUP)
        try await withClient(of: server.url("sslmode=verify-full", trusting: "authority")) { other in
          // Until the server has heeded the signal a connection succeeds.
          let isRefused = await eventually {
            await endSession(of: other)
            if case .disconnected(let reason) = other.state { return reason.contains("the server's certificate has expired") }
            return false
          }
          #expect(isRefused, "\(other.state)")
        }
        #expect(await failure(of: client) { session throws(PostgresError) in try session.execute("SELECT 1") } == nil)
        await endSession(of: client)
        #expect(await refused(client, "the server's certificate has expired"), "\(client.state)")
        try await server.files.replace("server", by: "new")
        server.process.signal(SIGHUP)
        #expect(await answers(client))
      }
    }
  }

  private func endSession(of client: PostgresClient) async {
    _ = await failure(of: client, deadline: .after(.milliseconds(500))) { session throws(PostgresError) in
      try session.execute("SELECT pg_terminate_backend(pg_backend_pid())")
    }
  }

  private func refused(_ client: PostgresClient, _ sentence: String) async -> Bool {
    await eventually { if case .disconnected(let reason) = client.state { reason.contains(sentence) } else { false } }
  }
}

private struct TLSServer {
  let port: UInt16
  let process: ServerProcess
  let files: TestCertificates

  func url(_ parameters: String, trusting authority: String? = nil, showing client: String? = nil) -> String {
    var all = parameters.isEmpty ? [] : [parameters]
    if let authority { all.append("sslrootcert=\(files.certificate(authority))") }
    if let client { all.append("sslcert=\(files.certificate(client))&sslkey=\(files.key(client))") }
    return "postgres://orders@localhost:\(port)/postgres?" + all.joined(separator: "&")
  }
}

/// A server of the test's own with a certificate of the authority's, gone afterwards.
///
/// - Parameter access: a line of its `pg_hba.conf`; by default it trusts everybody.
private func withTLSServer(
  names: [String] = ["localhost"], days: Int = 2, access: String? = nil, _ body: (TLSServer) async throws -> Void
) async throws {
  let files = try await TestCertificates()
  try await files.issue("server", for: names, days: days, user: "postgres")
  var settings = ["ssl=on", "ssl_cert_file=\(files.certificate("server"))", "ssl_key_file=\(files.key("server"))"]
  settings.append("ssl_ca_file=\(files.certificate("authority"))")
  if let access {
    let path = "\(files.folder)/pg_hba.conf"
    try Data((access + "\n").utf8).write(to: URL(fileURLWithPath: path))
    settings.append("hba_file=\(path)")
  }
  do {
    try await withServer(settings: settings) { server, process in try await body(TLSServer(port: server.port, process: process, files: files)) }
  } catch {
    await files.remove()
    throw error
  }
  await files.remove()
}
