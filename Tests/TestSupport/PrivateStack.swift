import Foundation
import Glibc

/// Servers of one test's own, by `scripts/stack`: ended and started again they keep their ports, and RabbitMQ and PostgreSQL their data.
package struct PrivateStack: Sendable {
  package enum Server: String, Sendable, CaseIterable {
    case postgres, redis, rabbitmq

    fileprivate var urlName: String {
      switch self {
      case .postgres: "STACK_DATABASE_URL"
      case .redis: "STACK_REDIS_URL"
      case .rabbitmq: "STACK_AMQP_URL"
      }
    }
  }

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../scripts/stack").standardizedFileURL.path
  private let folder: String
  private let urls: [Server: String]

  /// Starts them. `folder` is removed with them, also by who ran the tests where those were killed.
  package static func start(_ servers: [Server], folder: String) async throws -> PrivateStack {
    await remove(folder: folder)
    try await PrivateStack(folder: folder, urls: [:]).start(servers)
    let urls = servers.map { ($0, variable($0.urlName, in: folder) ?? "") }
    return PrivateStack(folder: folder, urls: Dictionary(uniqueKeysWithValues: urls))
  }

  package func url(_ server: Server) -> String { urls[server] ?? "" }

  /// Starts those that are not there; returns once they take connections.
  package func start(_ servers: [Server]) async throws {
    // One that was just killed may have its port for a moment longer.
    for _ in 1...3 {
      if await run("start", servers) { return }
    }
    throw Failure(description: "\(servers) did not start: \((try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")")
  }

  /// An orderly end: RabbitMQ takes leave of its clients, PostgreSQL ends their sessions.
  package func stop(_ servers: [Server]) async throws {
    guard await run("stop", servers) else { throw Failure(description: "\(servers) did not stop") }
  }

  /// `kill -9` for all processes of these servers; returns when they are gone.
  package func kill(_ servers: [Server]) async {
    let all = servers.flatMap(processes)
    for pid in all { Glibc.kill(pid, SIGKILL) }
    _ = await eventually { all.allSatisfy { !Self.lives($0) } }
  }

  package func freeze(_ server: Server) { for pid in processes(server) { Glibc.kill(pid, SIGSTOP) } }
  package func thaw(_ server: Server) { for pid in processes(server) { Glibc.kill(pid, SIGCONT) } }

  /// Whether RabbitMQ would know these quorum queues again after a kill: their registry is a file that it writes by and by, and a queue that was declared
  /// within the last half second or so is gone with the process, whatever it confirmed.
  package func wouldRemember(queues: [String]) -> Bool {
    guard let settings = try? String(contentsOfFile: "\(folder)/settings", encoding: .utf8),
      let data = settings.firstMatch(of: /data='([^']*)'/)?.1, let files = FileManager.default.enumerator(atPath: "\(data)/rabbitmq/mnesia")
    else { return false }
    let registries = files.compactMap { $0 as? String }.filter { $0.contains("quorum") && $0.hasSuffix("names.dets") }
    let texts = registries.compactMap { FileManager.default.contents(atPath: "\(data)/rabbitmq/mnesia/\($0)") }
    return queues.allSatisfy { queue in texts.contains { $0.range(of: Data(queue.utf8)) != nil } }
  }

  /// Whether it takes connections.
  package func listens(_ server: Server) -> Bool {
    guard let port = URL(string: url(server))?.port else { return false }
    return listensOnLoopback(UInt16(port))
  }

  package func remove() async { await Self.remove(folder: folder) }

  private static func remove(folder: String) async {
    await ServerProcess.run([script, "remove", "--dir", folder])
    try? FileManager.default.removeItem(atPath: folder + ".log")
  }

  private var log: String { folder + ".log" }

  private func run(_ command: String, _ servers: [Server]) async -> Bool {
    await ServerProcess.run([Self.script, command, "--dir", folder, "--only", servers.map(\.rawValue).joined(separator: ",")], log: log)
  }

  private static func variable(_ name: String, in folder: String) -> String? {
    let lines = (try? String(contentsOfFile: "\(folder)/stack.env", encoding: .utf8))?.split(separator: "\n") ?? []
    return lines.first { $0.hasPrefix(name + "=") }.map { String($0.dropFirst(name.count + 1)) }
  }

  /// The server's process and its children: PostgreSQL has one for each connection.
  private func processes(_ server: Server) -> [pid_t] {
    guard let pid = Self.variable("STACK_\(server.rawValue.uppercased())_PID", in: folder).flatMap({ pid_t($0) }), Self.lives(pid) else { return [] }
    guard server == .postgres else { return [pid] }
    let all = (try? FileManager.default.contentsOfDirectory(atPath: "/proc"))?.compactMap { pid_t($0) } ?? []
    return [pid] + all.filter { Self.stat($0)?.parent == pid }
  }

  /// Nobody may have reaped what the script left behind.
  private static func lives(_ pid: pid_t) -> Bool { stat(pid).map { $0.state != "Z" } ?? false }

  private static func stat(_ pid: pid_t) -> (state: Substring, parent: pid_t?)? {
    guard let text = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8), let end = text.lastIndex(of: ")") else { return nil }
    let fields = text[text.index(after: end)...].split(separator: " ")
    return fields.count > 1 ? (fields[0], pid_t(fields[1])) : nil
  }
}
