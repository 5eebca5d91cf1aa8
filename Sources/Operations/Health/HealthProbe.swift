import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks an HTTP server on this machine once, as an orchestrator's probe does, for images that hold no other program that could.
package struct HealthProbe: Sendable {
  package struct Answer: Sendable, Equatable {
    package let status: Int
    package let body: String

    package var isGood: Bool { (200..<300).contains(status) }
  }

  package enum Fault: Error, Equatable {
    case late
    case cut
  }

  /// Far more than health ever says: whatever else answers at that port cannot fill the memory.
  private static let bodyLimit = 1 << 20

  private let host: String
  private let port: Int
  private let path: String

  package init(host: String, port: Int, path: String) {
    self.host = host
    self.port = port
    self.path = path
  }

  /// Throws where nothing listens there, or the answer has not come in time.
  package func ask(within limit: Duration) async throws -> Answer {
    try await withThrowingTaskGroup(of: Answer.self) { group in
      group.addTask { try await exchange(connectWithin: limit) }
      group.addTask {
        try await Task.sleep(for: limit)
        throw Fault.late
      }
      defer { group.cancelAll() }
      return try await group.next()!  // two were added
    }
  }

  private func exchange(connectWithin limit: Duration) async throws -> Answer {
    let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton).connectTimeout(TimeAmount(limit))
      .connect(host: host, port: port) { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHTTPClientHandlers()
          return try NIOAsyncChannel<HTTPClientResponsePart, HTTPClientRequestPart>(wrappingChannelSynchronously: channel)
        }
      }
    return try await channel.executeThenClose { inbound, outbound in
      let headers: HTTPHeaders = ["host": "\(host):\(port)", "connection": "close"]
      try await outbound.write(.head(HTTPRequestHead(version: .http1_1, method: .GET, uri: path, headers: headers)))
      try await outbound.write(.end(nil))
      var status = 0
      var body: [UInt8] = []
      for try await part in inbound {
        switch part {
        case .head(let head): status = Int(head.status.code)
        case .body(let bytes):
          body += bytes.readableBytesView
          if body.count > Self.bodyLimit { throw Fault.cut }
        case .end: return Answer(status: status, body: String(decoding: body, as: UTF8.self))
        }
      }
      throw Fault.cut
    }
  }
}
