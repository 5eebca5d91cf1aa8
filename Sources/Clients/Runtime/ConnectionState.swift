/// Where the loop that owns a connection stands.
public enum ConnectionState: Sendable, Equatable {
  case connecting
  /// Product, version and place of the server, in words.
  case connected(server: String)
  /// The last failure, in a sentence without secrets; the loop tries again by itself.
  case disconnected(reason: String)
  case closed

  public var isConnected: Bool { if case .connected = self { true } else { false } }
}
