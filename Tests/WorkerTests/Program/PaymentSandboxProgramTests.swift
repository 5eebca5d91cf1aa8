import Foundation
import TestSupport
import Testing

@Suite struct PaymentSandboxProgramTests {
  /// Starts a sandbox and waits for the line with its port.
  private static func start(_ arguments: [String], files: Program.Files) async throws -> (process: Process, port: UInt16) {
    let process = try Program.start(["payment-sandbox"] + arguments, environment: [:], files: files)
    #expect(await eventually { files.output.hasSuffix("\n") })
    let line = try #require(try JSONSerialization.jsonObject(with: Data(files.output.utf8)) as? [String: Any])
    let port = try #require((line["port"] as? Int).flatMap(UInt16.init(exactly:)))
    #expect(line["url"] as? String == "http://127.0.0.1:\(port)")
    return (process, port)
  }

  private static func authorize(_ port: UInt16, key: String) async -> LoopbackHTTP.Answer? {
    let body = #"{"tenant_id":"default","order_id":"o-1","amount":"59.98","currency":"USD","payment_method":"pm_ok"}"#
    return await LoopbackHTTP(port: port).ask("POST", "/authorizations", headers: ["Idempotency-Key: \(key)"], body: body)
  }

  @Test(arguments: [SIGTERM, SIGINT])
  func itSaysItsPortAndEndsWith0(signal: Int32) async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let (process, port) = try await Self.start(["--port", "0"], files: files)
    #expect(await LoopbackHTTP(port: port).get("/ledger")?.status == 200)
    #expect(await Self.authorize(port, key: "k-1")?.status == 201)
    kill(process.processIdentifier, signal)
    #expect(await eventually { !process.isRunning })
    #expect(process.terminationStatus == 0)
  }

  @Test func withAFileAKillLosesNothing() async throws {
    let (first, second) = (try Program.Files(), try Program.Files())
    defer { [first, second].forEach { $0.remove() } }
    let ledger = first.folder.appendingPathComponent("ledger").path
    let (killed, port) = try await Self.start(["--port", "0", "--ledger", ledger], files: first)
    let before = try #require(await Self.authorize(port, key: "k-1"))
    kill(killed.processIdentifier, SIGKILL)
    #expect(await eventually { !killed.isRunning })
    let (process, next) = try await Self.start(["--port", "\(port)", "--ledger", ledger], files: second)
    #expect(next == port)
    #expect(await Self.authorize(port, key: "k-1")?.body == before.body)
    #expect(await LoopbackHTTP(port: port).get("/ledger?order_id=o-1")?.text.contains("k-1") == true)
    process.terminate()
    #expect(await eventually { !process.isRunning })
  }

  @Test func aPortThatIsTakenFailsWithASentence() async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let (process, port) = try await Self.start(["--port", "0"], files: files)
    let result = try await Program.run(["payment-sandbox", "--port", "\(port)"])
    #expect(result.code == 1)
    #expect(result.errors.contains("127.0.0.1:\(port)") && result.output.isEmpty)
    process.terminate()
    #expect(await eventually { !process.isRunning })
  }
}
