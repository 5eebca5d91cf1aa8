import NIOCore
import NIOHTTP1
import NIOPosix

/// A payment provider for development and tests: speaks the whole of `schemas/openapi/payment.yaml` and moves no money.
package struct PaymentSandboxServer: Sendable {
  package let port: Int
  let desk: SandboxDesk
  private let group: MultiThreadedEventLoopGroup
  private let channel: any Channel

  /// Listens once this returns. Port 0 takes any free one; without a ledger's path, what it knows ends with the process.
  package static func start(host: String, port: Int, ledger: String? = nil) async throws(SandboxFault) -> PaymentSandboxServer {
    let desk = try SandboxDesk(file: ledger)
    let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    let bootstrap = ServerBootstrap(group: group)
      .serverChannelOption(.backlog, value: 1_024)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
      .childChannelOption(.socketOption(.tcp_nodelay), value: 1)
      .childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.configureHTTPServerPipeline()
          try channel.pipeline.syncOperations.addHandler(SandboxConnection(desk: desk))
        }
      }
    do {
      let channel = try await bootstrap.bind(host: host, port: port).get()
      return PaymentSandboxServer(port: channel.localAddress?.port ?? port, desk: desk, group: group, channel: channel)
    } catch {
      try? await group.shutdownGracefully()
      throw SandboxFault("\(host):\(port) cannot be listened on: \(error)")
    }
  }

  /// Cuts every connection there is.
  package func stop() async {
    try? await channel.close()
    try? await group.shutdownGracefully()
  }
}
