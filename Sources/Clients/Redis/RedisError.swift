/// What a call of `RedisClient` ended in instead of replies. A command that Redis refuses is a reply, not an error.
public enum RedisError: Error, Sendable, Equatable, CustomStringConvertible {
  /// No connection: certainly nothing was done.
  case unavailable(String)
  /// The connection went away in the middle of the call: some of its commands may have been done.
  case connectionLost(String)
  /// Not all replies came by the deadline: some of its commands may have been done.
  case timeout

  public var description: String {
    switch self {
    case .unavailable(let reason): "Redis is not available: \(reason)"
    case .connectionLost(let reason): "the connection to Redis was lost in mid-call: \(reason)"
    case .timeout: "Redis did not answer by the deadline"
    }
  }
}

/// Why a `RedisConfiguration` could not be made; never quotes the URL, which may hold a password.
public struct RedisConfigurationError: Error, Sendable, CustomStringConvertible {
  public let description: String
}
