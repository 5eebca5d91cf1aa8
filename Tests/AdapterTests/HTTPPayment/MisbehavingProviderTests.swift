import Application
import Domain
import Glibc
import HTTPPaymentAdapter
import Logging
import Synchronization
import TestSupport
import Testing

@Suite struct MisbehavingProviderTests {
  private static let body = #"{"id":"a-1","status":"authorized"}"#
  private static let good = answer("201 Created", body)

  private static func answer(_ status: String, _ body: String, _ headers: String = "") -> String {
    "HTTP/1.1 \(status)\r\nContent-Type: application/json\r\n\(headers)Content-Length: \(body.utf8.count)\r\n\r\n\(body)"
  }

  private static func kind(of server: ScriptedServer, timeout: Duration = .seconds(20)) async throws -> String {
    defer { server.stop() }
    return try await ProviderFixture.with("http://127.0.0.1:\(server.port)", timeout: timeout) { await $0.perform(ProviderFixture.authorize()).kind }
  }

  /// What a server does with a connection, and what that means.
  struct Exchange: Sendable {
    let steps: [ScriptedServer.Step]
    let kind: String

    init(_ kind: String, _ steps: ScriptedServer.Step...) {
      self.steps = steps
      self.kind = kind
    }
  }

  private static let chunked = "HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"

  @Test(arguments: [
    Exchange("known succeeded", .read, .send(good)),
    Exchange("known succeeded", .read, .send("HTTP/1.1 100 Continue\r\n\r\n"), .send(good)),
    Exchange("known succeeded", .read, .send("HTTP/1.1 201 Created\r\n\r\n"), .send(body)),  // to the end of the connection
    Exchange("known succeeded", .read, .send(chunked), .send("22\r\n"), .send(body), .send("\r\n0\r\n\r\n")),
    Exchange("unknown", .read), Exchange("unknown", .read, .reset), Exchange("unknown", .reset),
    Exchange("unknown", .read, .send("HTTP/1.1 201 Cre")), Exchange("unknown", .read, .send("HTTP/1.1 201 Created\r\nContent-")),
    Exchange("unknown", .read, .send(String(good.dropLast(1)))), Exchange("unknown", .read, .send(String(good.dropLast(1))), .reset),
    Exchange("unknown", .read, .send("SSH-2.0-OpenSSH_9.2\r\n")), Exchange("unknown", .read, .send("\0\0\0\0\0\0\0\0\r\n\r\n")),
    Exchange("unknown", .read, .send(answer("201 Created", "<html>welcome</html>"))), Exchange("unknown", .read, .send(chunked), .send("zz\r\n")),
    Exchange("unknown", .read, .send(answer("500 Oops", body))),
    Exchange("no effect 3.0 seconds", .read, .send(answer("503 Unavailable", "", "Retry-After: 3\r\n"))),
    Exchange("no effect 3.0 seconds", .read, .send("HTTP/1.1 503 Unavailable\r\nRetry-After: 3\r\nContent-Length: 10\r\n\r\n")),
    Exchange("known declined -", .read, .send("HTTP/1.1 402 Payment Required\r\nContent-Length: 10\r\n\r\n")),
    Exchange("no effect -", .read, .send(answer("302 Found", "", "Location: /elsewhere\r\n"))),
  ])
  func whatCannotBeReadToItsEndIsUnknown(exchange: Exchange) async throws {
    let server = ScriptedServer([exchange.steps])
    #expect(try await Self.kind(of: server) == exchange.kind)
    #expect(server.connections == 1)
  }

  @Test(arguments: [("201 Created", "unknown"), ("402 Payment Required", "known declined -"), ("409 Conflict", "unknown")])
  func aBodyWithoutMeasureIsNotRead(status: String, kind: String) async throws {
    let huge = #"{"id":"a-1","status":"authorized","more":"\#(String(repeating: "x", count: 200_000))"}"#
    #expect(try await Self.kind(of: ScriptedServer(.read, .send(Self.answer(status, huge)))) == kind)
  }

  @Test(arguments: [
    [ScriptedServer.Step.read, .wait(.seconds(30))], [.read, .send("HTTP/1.1 201 Created\r\n"), .wait(.seconds(30))],
    [.read, .send("HTTP/1.1 201 Created\r\nContent-Length: 30\r\n\r\n"), .wait(.seconds(30))], [.wait(.seconds(30))],
  ])
  func aLateAnswerIsUnknownInTime(steps: [ScriptedServer.Step]) async throws {
    let begin = ContinuousClock.now
    #expect(try await Self.kind(of: ScriptedServer([steps]), timeout: .milliseconds(300)) == "unknown")
    #expect(.now - begin < .seconds(15))
  }

  @Test func anAnswerThatTricklesIsCutByTheGuard() async throws {
    let server = ScriptedServer(.read, .send("HTTP/1.1 201 Created\r\nContent-Length: 60000\r\n\r\n"), .trickle(.milliseconds(20)))
    defer { server.stop() }
    let begin = ContinuousClock.now
    let kind = try await ProviderFixture.with("http://127.0.0.1:\(server.port)", timeout: .milliseconds(400)) { provider in
      let guarded = GuardedPaymentProvider(
        provider, guard: AdapterGuard(adapter: "payment", limits: .init(deadline: .milliseconds(400)), observer: NoObserver()),
        operation: HTTPPaymentCallEncoder.operation)
      return await guarded.perform(ProviderFixture.authorize(), isRepeat: false, trace: ProviderFixture.trace).kind
    }
    #expect(kind == "unknown")
    #expect(.now - begin < .seconds(15))
  }

  @Test func aCancelledCallIsUnknownAtOnce() async throws {
    let server = ScriptedServer(.read, .wait(.seconds(30)))
    defer { server.stop() }
    let kind = try await ProviderFixture.with("http://127.0.0.1:\(server.port)") { provider in
      let call = Task { await provider.perform(ProviderFixture.authorize()).kind }
      #expect(await eventually { !server.requests.isEmpty })
      call.cancel()
      return await call.value
    }
    #expect(kind == "unknown")
  }

  @Test func aConnectionClosedBetweenCallsIsUnknownAndAskedAgainIsAnswered() async throws {
    let server = ScriptedServer([[.read, .send(Self.good), .read], [.read, .send(Self.good)]])
    defer { server.stop() }
    let kinds = try await ProviderFixture.with("http://127.0.0.1:\(server.port)") { provider in
      var kinds: [String] = []
      for _ in 0..<3 { kinds.append(await provider.perform(ProviderFixture.authorize()).kind) }
      return kinds
    }
    #expect(kinds == ["known succeeded", "unknown", "known succeeded"])
  }

  @Test(arguments: ["http://127.0.0.1:1", "http://localhost:1", "http://nowhere.invalid"])
  func whereNothingListensNothingWasSent(url: String) async throws {
    let kind = try await ProviderFixture.with(url) { await $0.perform(ProviderFixture.authorize()).kind }
    #expect(kind == "no effect 1.0 seconds")
  }

  @Test func whereTLSCannotBeAgreedOnNothingWasSent() async throws {
    let server = ScriptedServer(.send("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n"), .wait(.seconds(1)))
    defer { server.stop() }
    let kind = try await ProviderFixture.with("https://127.0.0.1:\(server.port)") { await $0.perform(ProviderFixture.authorize()).kind }
    #expect(kind == "no effect 1.0 seconds")
    #expect(server.requests.isEmpty)
  }

  @Test func aRequestCarriesKeyTokenAndTrace() async throws {
    let server = ScriptedServer(.read, .send(Self.good))
    defer { server.stop() }
    _ = try await ProviderFixture.with("http://127.0.0.1:\(server.port)/v1/", token: "s3cret") { provider in
      await provider.perform(
        ProviderFixture.authorize(key: "default/o-1/1"), isRepeat: false, trace: CommandReference(correlationID: "ä 1", traceparent: "00-0af7-b7ad-01"))
    }
    let request = try #require(server.requests.first)
    let lines = request.split(separator: "\r\n").map(String.init)
    #expect(lines.first == "POST /v1/authorizations HTTP/1.1")
    #expect(lines.last == String(decoding: ProviderFixture.authorize().body, as: UTF8.self))
    let headers = Set(lines.dropFirst().map { $0.lowercased() })
    #expect(
      headers.isSuperset(of: [
        "idempotency-key: default/o-1/1", "content-type: application/json", "authorization: bearer s3cret", "x-correlation-id: %c3%a4%201",
        "traceparent: 00-0af7-b7ad-01",
      ]))
  }

  @Test func mistakesAreLoggedOnceAndWithoutThePaymentMethod() async throws {
    let lines = Mutex([String]())
    let log = Logger(label: "test") { _ in LineHandler { line in lines.withLock { $0.append(line) } } }
    let refusal = Self.answer("401 Unauthorized", #"{"code":"bad_token","detail":"pm_secret"}"#)
    let server = ScriptedServer(.read, .send(refusal), .read, .send(refusal))
    defer { server.stop() }
    let kinds = try await ProviderFixture.with("http://127.0.0.1:\(server.port)", log: log) { provider in
      var kinds: [String] = []
      for _ in 0..<2 { kinds.append(await provider.perform(ProviderFixture.authorize("pm_secret")).kind) }
      return kinds
    }
    #expect(kinds == ["no effect -", "no effect -"])
    let said = lines.withLock { $0 }
    #expect(said.count == 1)
    #expect(said.allSatisfy { $0.contains("401") && $0.contains("bad_token") && !$0.contains("pm_secret") })
    for named in ["correlation_id\": c-1", "trace_id\": 0af7651916cd43dd8448eb211c80319c"] { #expect(said[0].contains(named), "\(said)") }
  }
}

private struct NoObserver: AdapterObserver {
  func called(adapter: String, operation: String, outcome: String, took: Duration) {}
  func breakerChanged(adapter: String, to state: BreakerState, reason: String?) {}
}

private struct LineHandler: LogHandler {
  let write: @Sendable (String) -> Void
  var metadata = Logger.Metadata()
  var logLevel = Logger.Level.trace

  init(_ write: @escaping @Sendable (String) -> Void) { self.write = write }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) { write("\(event.message) \(event.metadata ?? [:])") }
}
