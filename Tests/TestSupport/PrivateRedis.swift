import Glibc

/// A Redis server of one test's own, without persistence; a second `start` takes the same port.
package struct PrivateRedis: Sendable {
  package let port = freePort()
  private let settings: [String]

  /// - Parameter settings: more words of the server's command line.
  package init(settings: [String] = []) { self.settings = settings }

  package var url: String { "redis://127.0.0.1:\(port)" }

  package func start() async -> ServerProcess {
    await ServerProcess.start(
      ["redis-server", "--bind", "127.0.0.1", "--port", "\(port)", "--save", "", "--appendonly", "no"] + settings, log: "/dev/null")
  }

  package static let isInstalled = ["/usr/bin", "/usr/local/bin"].contains { access("\($0)/redis-server", X_OK) == 0 }
}
