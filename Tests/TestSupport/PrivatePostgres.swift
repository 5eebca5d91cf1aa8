import Glibc

/// A PostgreSQL server of one test's own; `stop` and `start` keep port and data.
package final class PrivatePostgres: Sendable {
  package let port: UInt16
  let folder: String
  private let settings: [String]
  static let user = "postgres"

  package var url: String { "postgres://orders@127.0.0.1:\(port)/postgres" }

  /// Makes a data directory and starts the server; nil where PostgreSQL is not installed.
  package static func start(settings: [String] = []) async -> (server: PrivatePostgres, process: ServerProcess)? {
    guard programs != nil else { return nil }
    let server = PrivatePostgres(settings: settings)
    return await server.initialize() ? (server, await server.start()) : nil
  }

  package static var isInstalled: Bool { programs != nil }

  /// Without a data directory yet.
  init(settings: [String]) {
    port = freePort()
    folder = "/tmp/client-test-postgres-\(getpid())-\(port)"
    self.settings = settings
  }

  private func initialize() async -> Bool {
    await ServerProcess.run(
      ["\(Self.programs!)/initdb", "-D", folder, "-U", "orders", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"], user: Self.user)
  }

  package func start() async -> ServerProcess {
    var command = ["\(Self.programs!)/postgres", "-D", folder]
    let common = ["listen_addresses=127.0.0.1", "port=\(port)", "unix_socket_directories=", "fsync=off", "shared_buffers=16MB"]
    for setting in common + settings { command += ["-c", setting] }
    // An immediate stop leaves this file behind, and its process number may be taken by then.
    await ServerProcess.run(["rm", "-f", "\(folder)/postmaster.pid"])
    return await ServerProcess.start(command, user: Self.user, log: "\(folder).log")
  }

  package func remove() async { await ServerProcess.run(["rm", "-rf", folder, "\(folder).log"]) }

  private static let programs: String? = ["17", "16", "15", "14"].lazy.map { "/usr/lib/postgresql/\($0)/bin" }.first { access("\($0)/initdb", X_OK) == 0 }
}
