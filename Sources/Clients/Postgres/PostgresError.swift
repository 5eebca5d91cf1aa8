/// What a call of `PostgresClient` ended in instead of a result.
public enum PostgresError: Error, Sendable, CustomStringConvertible {
  /// No connection, or one that was lost before anything could have taken effect: certainly nothing was done.
  case unavailable(String)
  /// The connection went away in the middle of the call: whether it took effect is unknown.
  case connectionLost(String)
  /// No answer by the deadline; the connection was dropped, and whether the call took effect is unknown.
  case timeout
  /// The server refused a statement; an open transaction is rolled back when the job ends.
  case server(ServerError)
  /// The caller's mistake, found before or after asking the server: trying again does not help.
  case misuse(String)

  public var serverError: ServerError? { if case .server(let error) = self { error } else { nil } }
  public var sqlState: String? { serverError?.sqlState }

  /// Whether the call may have been committed although it failed.
  public var outcomeIsUnknown: Bool {
    switch self {
    case .connectionLost, .timeout: true
    case .unavailable, .server, .misuse: false
    }
  }

  /// Another transaction was in the way (40001, 40P01, 55P03): run the whole transaction again.
  public var isSerializationOrDeadlock: Bool { serverError?.isSerializationOrDeadlock ?? false }
  public var isUniqueViolation: Bool { sqlState == "23505" }

  /// The server as a whole cannot serve now: out of disk or memory, shutting down, read-only, broken inside.
  public var meansServerIsUnwell: Bool { serverError?.meansServerIsUnwell ?? false }

  /// Whether the same transaction, run again later, can succeed.
  public var isRetriable: Bool {
    switch self {
    case .unavailable, .connectionLost, .timeout: true
    case .server(let error): error.isRetriable
    case .misuse: false
    }
  }

  public var description: String {
    switch self {
    case .unavailable(let reason): "PostgreSQL is not available: \(reason)"
    case .connectionLost(let reason): "the connection to PostgreSQL was lost in mid-call: \(reason)"
    case .timeout: "PostgreSQL did not answer by the deadline"
    case .server(let error): error.description
    case .misuse(let reason): "wrong use of PostgresClient: \(reason)"
    }
  }
}

/// Why a `PostgresConfiguration` could not be made; never quotes the URL, which holds a password.
public struct PostgresConfigurationError: Error, Sendable, CustomStringConvertible {
  public let description: String
}
