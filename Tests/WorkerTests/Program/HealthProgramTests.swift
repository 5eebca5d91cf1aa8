import Foundation
import TestSupport
import Testing

@Suite struct HealthProgramTests {
  /// A worker whose servers are not there: alive, and not ready.
  private static func withWaitingWorker(_ body: (_ port: String) async throws -> Void) async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let process = try Program.start(
      ["run", "--amqp-url", "amqp://127.0.0.1:1/", "--database-url", "postgres://nobody@127.0.0.1:1/nothing", "--http-port", "0"],
      environment: ["ORDERS_AUTH": "off"], files: files)
    var port: Substring?
    _ = await eventually(within: .seconds(30)) {
      port = files.errors.firstMatch(of: /"health is served".*"port":(\d+)/)?.1
      return port != nil
    }
    let result: Result<Void, any Error>
    do { result = .success(try await body(String(try #require(port)))) } catch { result = .failure(error) }
    process.terminate()
    if await !eventually(within: .seconds(30), { !process.isRunning }) { kill(process.processIdentifier, SIGKILL) }
    try result.get()
  }

  @Test(arguments: ["127.0.0.1", "0.0.0.0", "localhost"])
  func aWorkerThatWaitsIsAliveAndNotReady(host: String) async throws {
    try await Self.withWaitingWorker { port in
      let live = try await Program.run(["health", "--path", "/health/live", "--http-host", host, "--http-port", port])
      #expect(live.code == 0)
      #expect(live.output == "{\"status\":\"live\"}\n")
      let ready = try await Program.run(["health"], environment: ["ORDERS_HTTP_HOST": host, "ORDERS_HTTP_PORT": port])
      #expect(ready.code == 1)
      #expect(ready.output.contains(#""status":"unready""#))
      #expect(ready.errors.contains("/health/ready answered 503"))
    }
  }

  @Test(arguments: [
    ("GET", "/health/live", 200, true), ("HEAD", "/health/live", 200, false), ("HEAD", "/health/ready", 503, false), ("HEAD", "/metrics", 200, false),
    ("POST", "/metrics", 405, false), ("DELETE", "/health/ready", 405, false), ("GET", "/health", 404, false), ("HEAD", "/orders", 404, false),
  ])
  func headIsAnsweredLikeGetAndNothingElseIsDone(method: String, path: String, code: Int, hasBody: Bool) async throws {
    try await Self.withWaitingWorker { port in
      let answer = await LoopbackHTTP(port: try #require(UInt16(port))).ask(method, path)
      #expect(answer?.status == code && answer?.body.isEmpty == !hasBody)
    }
  }

  @Test func whereNobodyListensItFails() async throws {
    let result = try await Program.run(["health", "--http-port", "1"])
    #expect(result.code == 1)
    #expect(result.errors.contains("127.0.0.1:1"))
  }

  @Test func anAnswerThatDoesNotComeIsNotWaitedFor() async throws {
    let listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(listener) }
    #expect(listen(listener, 8) == 0)
    var address = sockaddr_in()
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    _ = withUnsafeMutablePointer(to: &address) { $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) } }
    let result = try await Program.run(["health", "--http-port", "\(UInt16(bigEndian: address.sin_port))", "--timeout", "300ms"])
    #expect(result.code == 1)
    #expect(result.errors.contains("within 300ms"))
  }

  @Test func aPortThatOnlyTheLogKnowsIsAskedFor() async throws {
    let result = try await Program.run(["health", "--http-port", "0"])
    #expect(result.code == 1)
    #expect(result.errors.contains("--http-port"))
  }
}
