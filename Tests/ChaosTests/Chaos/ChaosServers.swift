import Foundation
import Glibc
import TestSupport

/// Servers that nobody else uses, for they are killed: a stack, and the payment sandbox with its ledger in a file.
actor ChaosServers {
  private struct Failure: Error, CustomStringConvertible { let description: String }

  private let stack: PrivateStack
  private let folder: String
  private var sandbox: ServerProcess?
  private let sandboxPort = freePort()

  /// Starts them all. `CHAOS_STACK` names the folder, so that whoever started the tests can remove what they left behind.
  init() async throws {
    folder = ProcessInfo.processInfo.environment["CHAOS_STACK"] ?? "/tmp/order-worker-chaos-\(getpid())"
    try? FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
    try? FileManager.default.removeItem(atPath: "\(folder)/ledger")  // of a run that was killed
    stack = try await PrivateStack.start(PrivateStack.Server.allCases, folder: "\(folder)/servers")
    try await start(.provider)
  }

  /// Starts what is not there; the ports stay the same.
  func start(_ server: ChaosFault.Server) async throws {
    if let server = Self.ofStack(server) { return try await stack.start([server]) }
    if let sandbox, sandbox.isRunning { return }
    sandbox = await ServerProcess.start(
      [ProductWorld.executable, "payment-sandbox", "--port", "\(sandboxPort)", "--ledger", "\(folder)/ledger"], log: "\(folder)/sandbox.log")
    let http = provider
    guard await eventually({ @Sendable in await http.get("/health/live")?.status == 200 }) else {
      throw Failure(description: "the payment sandbox does not answer")
    }
  }

  var settings: [String: String] {
    [
      "ORDERS_AMQP_URL": stack.url(.rabbitmq), "ORDERS_DATABASE_URL": stack.url(.postgres), "ORDERS_REDIS_URL": stack.url(.redis),
      "ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": "http://127.0.0.1:\(sandboxPort)",
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
    if let server = Self.ofStack(server) { return await stack.kill([server]) }
    await sandbox?.end(SIGKILL)
  }

  func freeze(_ server: ChaosFault.Server) {
    if let server = Self.ofStack(server) { stack.freeze(server) } else { sandbox?.signal(SIGSTOP) }
  }

  func thaw(_ server: ChaosFault.Server) {
    if let server = Self.ofStack(server) { stack.thaw(server) } else { sandbox?.signal(SIGCONT) }
  }

  /// Returns when the broker may be killed without forgetting these queues; false where that does not come.
  func remember(_ queues: [String]) async -> Bool {
    let stack = stack
    return await eventually { stack.wouldRemember(queues: queues) }
  }

  var provider: LoopbackHTTP { LoopbackHTTP(port: sandboxPort) }

  func ledger() async throws -> [PaymentSandbox.Line] {
    guard let answer = await provider.get("/ledger"), answer.status == 200 else { throw Failure(description: "the sandbox shows no ledger") }
    return try JSONDecoder().decode([PaymentSandbox.Line].self, from: Data(answer.body))
  }

  func remove() async {
    await kill(.provider)
    await stack.remove()
    try? FileManager.default.removeItem(atPath: folder)
  }

  private static func ofStack(_ server: ChaosFault.Server) -> PrivateStack.Server? {
    switch server {
    case .broker: .rabbitmq
    case .database: .postgres
    case .cache: .redis
    case .provider: nil
    }
  }
}
