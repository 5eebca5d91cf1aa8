import Foundation
import Glibc

/// RabbitMQ and PostgreSQL of one test's own, by `scripts/stack`: ended and started again they keep their ports and data.
package struct PrivateStack: Sendable {
  package enum Server: String, Sendable, CaseIterable { case rabbitmq, postgres }

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../scripts/stack").standardizedFileURL.path
  private let folder: String
  private let urls: [Server: String]

  /// Starts both. `folder` is removed with them, also by who ran the tests where those were killed.
  package static func start(folder: String) async throws -> PrivateStack {
    let all = Server.allCases
    await PrivateStack(folder: folder, urls: [:]).remove()
    try await PrivateStack(folder: folder, urls: [:]).start(all)
    let urls = [Server.rabbitmq: variable("STACK_AMQP_URL", in: folder), .postgres: variable("STACK_DATABASE_URL", in: folder)]
    return PrivateStack(folder: folder, urls: urls.compactMapValues(\.self))
  }

  /// `ORDERS_*` variables that lead to them.
  package var settings: [String: String] { ["ORDERS_AMQP_URL": urls[.rabbitmq] ?? "", "ORDERS_DATABASE_URL": urls[.postgres] ?? ""] }

  /// Returns once they take connections.
  package func start(_ servers: [Server]) async throws {
    guard await run("start", servers) else {
      throw Failure(description: "\(servers) did not start: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")")
    }
  }

  /// An orderly end: RabbitMQ takes leave of its clients, PostgreSQL ends their sessions.
  package func stop(_ servers: [Server]) async throws {
    guard await run("stop", servers) else { throw Failure(description: "\(servers) did not stop") }
  }

  /// `kill -9`; returns when they are gone.
  package func kill(_ servers: [Server]) async {
    let processes = servers.compactMap { Self.variable("STACK_\($0.rawValue.uppercased())_PID", in: folder).flatMap { pid_t($0) } }
    for process in processes { Glibc.kill(process, SIGKILL) }
    // Nobody may have reaped what the script left behind: a zombie has no command line.
    _ = await eventually { processes.allSatisfy { (try? Data(contentsOf: URL(fileURLWithPath: "/proc/\($0)/cmdline")))?.isEmpty ?? true } }
  }

  /// Whether it takes connections.
  package func listens(_ server: Server) -> Bool {
    guard let port = urls[server].flatMap({ URL(string: $0)?.port }) else { return false }
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(UInt16(port))
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
  }

  package func remove() async {
    await kill(Server.allCases)
    await ServerProcess.run([Self.script, "remove", "--dir", folder])
    try? FileManager.default.removeItem(atPath: log)
  }

  private var log: String { folder + ".log" }

  private func run(_ command: String, _ servers: [Server]) async -> Bool {
    await ServerProcess.run([Self.script, command, "--dir", folder, "--only", servers.map(\.rawValue).joined(separator: ",")], log: log)
  }

  private static func variable(_ name: String, in folder: String) -> String? {
    let lines = (try? String(contentsOfFile: "\(folder)/stack.env", encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }
}
