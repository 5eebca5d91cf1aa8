import ClientRuntime
import Foundation
import Glibc

/// Three RabbitMQ nodes of a test's own, joined as a cluster on this machine: own names, ports, epmd and cookie, loopback only.
package actor RabbitMQCluster {
  private let folder: String
  private var epmd: ServerProcess?
  private let nodes: [RabbitMQNode]
  private var processes: [Int: ServerProcess] = [:]

  package static var isInstalled: Bool { RabbitMQNode.isInstalled }

  /// Returns once all three are members and take connections; nil where they are not in time.
  package static func start() async throws -> RabbitMQCluster? {
    let cluster = try await RabbitMQCluster()
    if await cluster.startAll() { return cluster }
    await cluster.remove()
    return nil
  }

  private init() async throws {
    let epmdPort = freePort()
    let folder = "/tmp/cluster-test-rabbitmq-\(getpid())-\(epmdPort)"
    self.folder = folder
    nodes = (0..<Self.size).map { RabbitMQNode(name: "orders\($0 + 1)-\(getpid())@localhost", folder: "\(folder)/\($0)", epmdPort: epmdPort) }
    await RabbitMQNode.makeFolder(folder)
    for node in nodes {
      var lines = ["listeners.tcp.1 = 127.0.0.1:\(node.port)", "cluster_formation.peer_discovery_backend = classic_config"]
      for (number, member) in nodes.enumerated() { lines.append("cluster_formation.classic_config.nodes.\(number + 1) = \(member.name)") }
      try await node.prepare(configuration: lines)
    }
  }

  /// All three hosts in one URL.
  package var url: String { "amqp://guest:guest@" + nodes.map { "127.0.0.1:\($0.port)" }.joined(separator: ",") }
  package nonisolated static let size = 3
  package func port(of index: Int) -> UInt16 { nodes[index].port }

  private func startAll() async -> Bool {
    epmd = await nodes[0].startEpmd(log: "\(folder).log")
    if epmd == nil { return false }
    for index in nodes.indices { await launch(index) }
    for index in nodes.indices { guard await isUp(index) else { return false } }
    return await eventually(within: .seconds(60)) { await runningNodes() == Self.size }
  }

  /// `kill -9`; returns when the process is gone.
  package func kill(_ index: Int) async {
    await processes[index]?.end(SIGKILL)
    processes[index] = nil
  }

  /// Starts a killed node again; true once it takes connections and no queue would lose its majority without another one.
  package func restart(_ index: Int) async -> Bool {
    await launch(index)
    guard await isUp(index) else { return false }
    let others = nodes.indices.filter { $0 != index }
    return await eventually(within: .seconds(60)) {
      for other in others { guard await nodes[other].control("rabbitmq-queues", ["check_if_node_is_quorum_critical"]) else { return false } }
      return true
    }
  }

  /// Ends the nodes and removes their data.
  package func remove() async {
    for index in nodes.indices { await kill(index) }
    await epmd?.end(SIGKILL)
    await ServerProcess.run(["rm", "-rf", folder, "\(folder).log"])
  }

  private func launch(_ index: Int) async { processes[index] = await nodes[index].launch(log: "\(folder).log") }
  private func isUp(_ index: Int) async -> Bool { await nodes[index].isUp(processes[index]) }

  /// How many nodes the first one sees running.
  private func runningNodes() async -> Int {
    struct Status: Decodable { let running_nodes: [String] }
    let file = "\(folder)/status-\(UInt32.random(in: 0...UInt32.max))"
    let isTold = await nodes[0].control("rabbitmqctl", ["cluster_status", "--formatter", "json"], log: file)
    guard isTold, let text = FileManager.default.contents(atPath: file) else { return 0 }
    return (try? JSONDecoder().decode(Status.self, from: text).running_nodes.count) ?? 0
  }
}
