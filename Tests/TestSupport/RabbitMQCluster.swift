import ClientRuntime
import Foundation
import Glibc

/// Three RabbitMQ nodes of a test's own, joined as a cluster on this machine: own names, ports, epmd and cookie, loopback only.
package actor RabbitMQCluster {
  private struct Node {
    let name: String
    let port: UInt16
    let distributionPort: UInt16
    var process: ServerProcess?
  }

  private static let user = "postgres"  // the servers' unprivileged user, where the tests run as root
  private static let programs = "/usr/lib/rabbitmq/bin"

  private let folder: String
  private let epmdPort: UInt16
  private var epmd: ServerProcess?
  private var nodes: [Node]

  package static var isInstalled: Bool { access("\(programs)/rabbitmq-server", X_OK) == 0 }

  /// Returns once all three are members and take connections; nil where they are not in time.
  package static func start() async throws -> RabbitMQCluster? {
    let cluster = try await RabbitMQCluster()
    if await cluster.startAll() { return cluster }
    await cluster.remove()
    return nil
  }

  private init() async throws {
    epmdPort = freePort()
    folder = "/tmp/cluster-test-rabbitmq-\(getpid())-\(epmdPort)"
    nodes = (1...3).map { Node(name: "orders\($0)-\(getpid())@localhost", port: freePort(), distributionPort: freePort()) }
    // The folder belongs to the servers' user, who writes all that is in it.
    await ServerProcess.run(["install", "-d", "-m", "755"] + (getuid() == 0 ? ["-o", Self.user, "-g", Self.user] : []) + [folder])
    for (index, node) in nodes.enumerated() {
      let home = "\(folder)/\(index)/home"
      let cookie = "mkdir -p \(home) && umask 277 && echo cookie\(epmdPort) >\(home)/.erlang.cookie"
      await ServerProcess.run(["sh", "-c", cookie], user: Self.user)
      var lines = ["listeners.tcp.1 = 127.0.0.1:\(node.port)", "cluster_formation.peer_discovery_backend = classic_config"]
      for (number, member) in nodes.enumerated() { lines.append("cluster_formation.classic_config.nodes.\(number + 1) = \(member.name)") }
      lines += ["vm_memory_high_watermark.absolute = 1GB", "disk_free_limit.absolute = 50MB"]
      try Data((lines.joined(separator: "\n") + "\n").utf8).write(to: URL(fileURLWithPath: "\(folder)/\(index)/rabbitmq.conf"))
      try Data("[].\n".utf8).write(to: URL(fileURLWithPath: "\(folder)/\(index)/enabled_plugins"))
    }
  }

  /// All three hosts in one URL.
  package var url: String { "amqp://guest:guest@" + nodes.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }
  package nonisolated static let size = 3
  package func port(of index: Int) -> UInt16 { nodes[index].port }

  private func startAll() async -> Bool {
    let path = ["/usr/bin/epmd"] + ((try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/erlang")) ?? []).map { "/usr/lib/erlang/\($0)/bin/epmd" }
    guard let program = path.first(where: { access($0, X_OK) == 0 }) else { return false }
    epmd = await ServerProcess.start(
      environment(0) + [program, "-port", "\(epmdPort)", "-address", "127.0.0.1"], user: Self.user, log: "\(folder).log")
    guard await eventually({ Self.listens(epmdPort) }) else { return false }
    for index in nodes.indices { await launch(index) }
    for index in nodes.indices { guard await isUp(index) else { return false } }
    return await eventually(within: .seconds(60)) { await runningNodes() == Self.size }
  }

  /// `kill -9`; returns when the process is gone.
  package func kill(_ index: Int) async {
    guard let process = nodes[index].process else { return }
    await process.end(SIGKILL)
    nodes[index].process = nil
  }

  /// Starts a killed node again; true once it takes connections and no queue would lose its majority without another one.
  package func restart(_ index: Int) async -> Bool {
    await launch(index)
    guard await isUp(index) else { return false }
    let others = nodes.indices.filter { $0 != index }
    return await eventually(within: .seconds(60)) {
      for other in others { guard await control("rabbitmq-queues", other, ["check_if_node_is_quorum_critical"]) else { return false } }
      return true
    }
  }

  /// Ends the nodes and removes their data.
  package func remove() async {
    for index in nodes.indices { await kill(index) }
    await epmd?.end(SIGKILL)
    await ServerProcess.run(["rm", "-rf", folder, "\(folder).log"])
  }

  private func launch(_ index: Int) async {
    let command = environment(index) + ["\(Self.programs)/rabbitmq-server"]
    nodes[index].process = await ServerProcess.start(command, user: Self.user, log: "\(folder).log")
  }

  private func isUp(_ index: Int) async -> Bool {
    let started = await eventually(within: .seconds(120)) {
      try? await Task.sleep(for: .milliseconds(100))
      return Self.listens(nodes[index].port)
    }
    return started && nodes[index].process?.isRunning == true
  }

  /// How many nodes the first one sees running.
  private func runningNodes() async -> Int {
    struct Status: Decodable { let running_nodes: [String] }
    let file = "\(folder)/status-\(UInt32.random(in: 0...UInt32.max))"
    guard await control("rabbitmqctl", 0, ["cluster_status", "--formatter", "json"], log: file), let text = FileManager.default.contents(atPath: file) else {
      return 0
    }
    return (try? JSONDecoder().decode(Status.self, from: text).running_nodes.count) ?? 0
  }

  private func control(_ program: String, _ index: Int, _ arguments: [String], log: String = "/dev/null") async -> Bool {
    await ServerProcess.run(environment(index) + ["\(Self.programs)/\(program)", "-q", "-n", nodes[index].name] + arguments, user: Self.user, log: log)
  }

  private func environment(_ index: Int) -> [String] {
    let (node, own) = (nodes[index], "\(folder)/\(index)")
    return [
      "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=\(own)/home", "LANG=C.UTF-8", "ERL_EPMD_PORT=\(epmdPort)", "ERL_EPMD_ADDRESS=127.0.0.1",
      // Makes the script become the server instead of its parent, so that a signal meets the server itself.
      "RUNNING_UNDER_SYSTEMD=true", "RABBITMQ_NODENAME=\(node.name)", "RABBITMQ_NODE_IP_ADDRESS=127.0.0.1", "RABBITMQ_NODE_PORT=\(node.port)",
      "RABBITMQ_DIST_PORT=\(node.distributionPort)", "RABBITMQ_MNESIA_BASE=\(own)/mnesia", "RABBITMQ_LOG_BASE=\(own)/log",
      "RABBITMQ_CONFIG_FILE=\(own)/rabbitmq.conf", "RABBITMQ_CONF_ENV_FILE=\(own)/none", "RABBITMQ_ENABLED_PLUGINS_FILE=\(own)/enabled_plugins",
      "RABBITMQ_PID_FILE=\(own)/pid",
      "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS=-kernel inet_dist_use_interface {127,0,0,1}",
    ]
  }

  private static func listens(_ port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = loopback(port)
    return withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0 }
    }
  }
}
