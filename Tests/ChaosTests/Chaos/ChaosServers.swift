import Foundation
import Glibc
import TestSupport

/// Servers that nobody else uses, for they are killed: each a stack of its own, and the payment sandbox with its ledger in a file.
actor ChaosServers {
  private struct Failure: Error, CustomStringConvertible { let description: String }

  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../../scripts/stack").standardizedFileURL.path
  private let folder: String
  private var addresses: [String: String] = [:]
  private var sandbox: ServerProcess?
  private let sandboxPort = freePort()

  /// `CHAOS_STACK` names the folder, so that whoever started the tests can remove what they left behind.
  init() { folder = ProcessInfo.processInfo.environment["CHAOS_STACK"] ?? "/tmp/order-worker-chaos-\(getpid())" }

  func start() async throws {
    await remove()
    for server in [ChaosFault.Server.database, .cache, .broker, .provider] { try await start(server) }
  }

  /// Starts what is not there; the ports stay the same.
  func start(_ server: ChaosFault.Server) async throws {
    guard let name = Self.stackName(server) else { return try await startSandbox() }
    let log = "\(folder)/\(name).log"
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    // One that was just killed may have its port for a moment longer.
    var tries = 1
    while await !ServerProcess.run([Self.script, "start", "--dir", "\(folder)/\(name)", "--only", name], log: log) {
      tries += 1
      if tries <= 3 { continue }
      throw Failure(description: "\(name) did not start: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")")
    }
    for line in try String(contentsOfFile: "\(folder)/\(name)/stack.env", encoding: .utf8).split(separator: "\n") {
      let parts = line.split(separator: "=", maxSplits: 1)
      if parts.count == 2 { addresses[String(parts[0])] = String(parts[1]) }
    }
  }

  var settings: [String: String] {
    [
      "ORDERS_AMQP_URL": addresses["STACK_AMQP_URL"] ?? "", "ORDERS_DATABASE_URL": addresses["STACK_DATABASE_URL"] ?? "",
      "ORDERS_REDIS_URL": addresses["STACK_REDIS_URL"] ?? "", "ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": "http://127.0.0.1:\(sandboxPort)",
    ]
  }

  /// What a worker is told of a server, and under which flag.
  func address(_ server: ChaosFault.Server) -> (flag: String, url: String, port: UInt16) {
    let (flag, name) =
      switch server {
      case .broker: ("--amqp-url", "ORDERS_AMQP_URL")
      case .database: ("--database-url", "ORDERS_DATABASE_URL")
      case .cache: ("--redis-url", "ORDERS_REDIS_URL")
      case .provider: ("--payment-url", "ORDERS_PAYMENT_URL")
      }
    let url = settings[name]!
    return (flag, url, UInt16(URL(string: url)!.port!))
  }

  func kill(_ server: ChaosFault.Server) async {
    let all = processes(server)
    for pid in all { Glibc.kill(pid, SIGKILL) }
    _ = await eventually { all.allSatisfy { !Self.lives($0) } }
  }

  func freeze(_ server: ChaosFault.Server) { for pid in processes(server) { Glibc.kill(pid, SIGSTOP) } }
  func thaw(_ server: ChaosFault.Server) { for pid in processes(server) { Glibc.kill(pid, SIGCONT) } }

  var provider: LoopbackHTTP { LoopbackHTTP(port: sandboxPort) }

  func ledger() async throws -> [PaymentSandbox.Line] {
    guard let answer = await provider.get("/ledger"), answer.status == 200 else { throw Failure(description: "the sandbox shows no ledger") }
    return try JSONDecoder().decode([PaymentSandbox.Line].self, from: Data(answer.body))
  }

  func remove() async {
    // Killed, for nobody wants their data: an orderly end takes RabbitMQ many seconds.
    for server in ChaosFault.Server.allCases { await kill(server) }
    sandbox = nil
    for name in ["postgres", "redis", "rabbitmq"] where FileManager.default.fileExists(atPath: "\(folder)/\(name)") {
      await ServerProcess.run([Self.script, "remove", "--dir", "\(folder)/\(name)"])
    }
    try? FileManager.default.removeItem(atPath: folder)
  }

  private func startSandbox() async throws {
    if let sandbox, sandbox.isRunning { return }
    sandbox = await ServerProcess.start(
      [ProductWorld.executable, "payment-sandbox", "--port", "\(sandboxPort)", "--ledger", "\(folder)/ledger"], log: "\(folder)/sandbox.log")
    let http = provider
    guard await eventually({ @Sendable in await http.get("/health/live")?.status == 200 }) else {
      throw Failure(description: "the payment sandbox does not answer")
    }
  }

  /// The server's process and its children: PostgreSQL has one for each connection.
  private func processes(_ server: ChaosFault.Server) -> [pid_t] {
    guard let name = Self.stackName(server) else { return sandbox.map { [$0.pid] } ?? [] }
    guard let pid = addresses["STACK_\(name.uppercased())_PID"].flatMap(pid_t.init) else { return [] }
    guard server == .database else { return [pid] }
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap(pid_t.init) ?? []
    return [pid] + all.filter { Self.stat($0)?.parent == pid }
  }

  private static func lives(_ pid: pid_t) -> Bool { stat(pid).map { $0.state != "Z" } ?? false }

  private static func stat(_ pid: pid_t) -> (state: Substring, parent: pid_t?)? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? (fields[0], pid_t(fields[1])) : nil
  }

  private static func stackName(_ server: ChaosFault.Server) -> String? {
    switch server {
    case .broker: "rabbitmq"
    case .database: "postgres"
    case .cache: "redis"
    case .provider: nil
    }
  }
}
