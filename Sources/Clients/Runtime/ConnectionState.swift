/// Where the loop that owns a connection stands.
public enum ConnectionState: Sendable, Equatable {
  case connecting
  /// Product, version and place of the server, in words: `RabbitMQ 3.10.8 at mq1:5672`.
  case connected(server: String)
  /// The last failure, in a sentence without secrets; the loop tries again by itself.
  case disconnected(reason: String)
  case closed

  /// The server's version, its second word.
  public var version: String? {
    guard case .connected(let server) = self else { return nil }
    return server.split(separator: " ").dropFirst().first.map(String.init)
  }

  public var isConnected: Bool { if case .connected = self { true } else { false } }
}
