import Foundation
import Glibc

/// A RabbitMQ node of a test's own: its names, ports and files, apart from those of any other node on this machine.
struct RabbitMQNode: Sendable {
  static let user = "postgres"  // the servers' unprivileged user, where the tests run as root
  static let programs = "/usr/lib/rabbitmq/bin"

  let name: String
  let folder: String
  let port: UInt16
  let epmdPort: UInt16
  private let distributionPort = freePort()
  /// The only feature flags that it has from its first start on; nil for all that its version has.
  private let featureFlags: [String]?

  init(name: String, folder: String, port: UInt16 = freePort(), epmdPort: UInt16, featureFlags: [String]? = nil) {
    self.featureFlags = featureFlags
    self.name = name
    self.folder = folder
    self.port = port
    self.epmdPort = epmdPort
  }

  static var isInstalled: Bool { access("\(programs)/rabbitmq-server", X_OK) == 0 }

  /// A folder that belongs to the servers' user, who writes all that is in it.
  static func makeFolder(_ path: String) async {
    await ServerProcess.run(["install", "-d", "-m", "755"] + (getuid() == 0 ? ["-o", user, "-g", user] : []) + [path])
  }

  /// Writes the node's cookie and configuration.
  func prepare(configuration: [String], plugins: [String] = []) async throws {
    let home = "\(folder)/home"
    await ServerProcess.run(["sh", "-c", "mkdir -p \(home) && umask 277 && echo cookie\(epmdPort) >\(home)/.erlang.cookie"], user: Self.user)
    let lines = configuration + ["vm_memory_high_watermark.absolute = 1GB", "disk_free_limit.absolute = 50MB"]
    try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/rabbitmq.conf"))
    try Data("[\(plugins.joined(separator: ","))].\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/enabled_plugins"))
  }

  /// Starts the node's name server, which others may share; nil where there is none installed or it does not listen.
  func startEpmd(log: String) async -> ServerProcess? {
    let path = ["/usr/bin/epmd"] + ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/erlang")) ?? []).map { "/usr/lib/erlang/\($0)/bin/epmd" }
    guard let program = path.first(where: { access($0, X_OK) == 0 }) else { return nil }
    let epmd = await ServerProcess.start(environment + [program, "-port", "\(epmdPort)", "-address", "127.0.0.1"], user: Self.user, log: log)
    if await eventually({ listensOnLoopback(epmdPort) }) { return epmd }
    await epmd.end(SIGKILL)
    return nil
  }

  func launch(log: String) async -> ServerProcess {
    await ServerProcess.start(environment + ["\(Self.programs)/rabbitmq-server"], user: Self.user, log: log)
  }

  /// Waits until it takes connections.
  func isUp(_ process: ServerProcess?) async -> Bool {
    let started = await eventually(within: .seconds(120)) {
      try? await Task.sleep(for: .milliseconds(100))
      return process?.isRunning != true || listensOnLoopback(port)
    }
    return started && process?.isRunning == true
  }

  /// Runs one of RabbitMQ's programs on the node; true where it ended well.
  func control(_ program: String, _ arguments: [String], log: String = "/dev/null") async -> Bool {
    await ServerProcess.run(environment + ["\(Self.programs)/\(program)", "-q", "-n", name] + arguments, user: Self.user, log: log)
  }

  private var environment: [String] {
    [
      "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(folder)/home", "LANG=C.UTF-8", "ERL_EPMD_PORT=\(epmdPort)", "ERL_EPMD_ADDRESS=127.0.0.1",
      // Makes the script become the server instead of its parent, so that a signal meets the server itself.
      "RUNNING_UNDER_SYSTEMD=true", "RABBITMQ_NODENAME=\(name)", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=\(port)",
      "RABBITMQ_DIST_PORT=\(distributionPort)", "RABBITMQ_MNESIA_BASE=\(folder)/mnesia", "RABBITMQ_LOG_BASE=\(folder)/log",
      "RABBITMQ_CONFIG_FILE=\(folder)/rabbitmq.conf", "RABBITMQ_CONF_ENV_FILE=\(folder)/none", "RABBITMQ_ENABLED_PLUGINS_FILE=\(folder)/enabled_plugins",
      "RABBITMQ_PID_FILE=\(folder)/pid",
      "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
    ] + (featureFlags.map { ["RABBITMQ_FEATURE_FLAGS=\($0.joined(separator: ","))"] } ?? [])
  }
}

/// Whether somebody takes connections at this port of 127.0.0.1.
package func listensOnLoopback(_ port: UInt16) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = loopback(port)
  return withUnsafePointer(to: &address) {
    $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
  }
}
