/// A connection's state as its loop sets it and others read it.
public final class ConnectionStatus: Sendable {
  private let state = Locked(ConnectionState.connecting)
  private let onChange: @Sendable (ConnectionState) -> Void

  public init(onChange: @escaping @Sendable (ConnectionState) -> Void) { self.onChange = onChange }

  public var current: ConnectionState { state.withLock { $0 } }

  /// Called by the loop's thread only, so changes are told in their order.
  public func set(_ new: ConnectionState) {
    let changed = state.withLock { state in
      defer { state = new }
      return state != new
    }
    if changed { onChange(new) }
  }
}
