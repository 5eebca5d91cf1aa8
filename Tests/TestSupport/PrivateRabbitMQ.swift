import Glibc

/// One RabbitMQ node of a test's own. Its processes die with the test process, however that ends.
package final class PrivateRabbitMQ: Sendable {
  private let node: RabbitMQNode
  private let epmd: ServerProcess
  private let process: ServerProcess

  package static var isInstalled: Bool { RabbitMQNode.isInstalled }

  /// Returns once it takes connections, after some six seconds; nil where it does not in time.
  ///
  /// - Parameters:
  ///   - configuration: more lines of its `rabbitmq.conf`. Plain connections it takes at a port of its own.
  ///   - featureFlags: the only ones that it has; nil for all that its version has.
  package static func start(configuration: [String], plugins: [String] = [], featureFlags: [String]? = nil) async throws -> PrivateRabbitMQ? {
    let epmdPort = freePort()
    let folder = "/tmp/client-test-rabbitmq-\(getpid())-\(epmdPort)"
    await RabbitMQNode.makeFolder(folder)
    let node = RabbitMQNode(name: "orders-\(getpid())-\(epmdPort)@localhost", folder: folder, epmdPort: epmdPort, featureFlags: featureFlags)
    try await node.prepare(configuration: ["listeners.tcp.1 = 127.0.0.1:\(node.port)"] + configuration, plugins: plugins)
    guard let epmd = await node.startEpmd(log: "\(folder).log") else {
      await removeFolder(folder)
      return nil
    }
    let server = PrivateRabbitMQ(node: node, epmd: epmd, process: await node.launch(log: "\(folder).log"))
    if await node.isUp(server.process) { return server }
    await server.remove()
    return nil
  }

  private init(node: RabbitMQNode, epmd: ServerProcess, process: ServerProcess) {
    self.node = node
    self.epmd = epmd
    self.process = process
  }

  /// Where it takes plain connections.
  package var port: UInt16 { node.port }

  /// Ends it and removes its data.
  package func remove() async {
    await process.end(SIGKILL)
    await epmd.end(SIGKILL)
    await Self.removeFolder(node.folder)
  }

  private static func removeFolder(_ folder: String) async { await ServerProcess.run(["rm", "-rf", folder, "\(folder).log"]) }
}
