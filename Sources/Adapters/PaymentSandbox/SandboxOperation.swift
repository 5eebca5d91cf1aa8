/// What is asked of the sandbox, by method and path.
enum SandboxOperation: Hashable, Sendable {
  case authorize
  case capture(authorization: String)
  case void(authorization: String)
  case refund(authorization: String)

  /// Nil for a path that is none of the four.
  init?(path: String) {
    let segments = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
    guard segments.first == "authorizations" else { return nil }
    if segments.count == 1 {
      self = .authorize
      return
    }
    guard segments.count == 3, let id = segments.dropFirst().first, !id.isEmpty else { return nil }
    switch segments.last {
    case "capture": self = .capture(authorization: SandboxRequest.decode(id))
    case "void": self = .void(authorization: SandboxRequest.decode(id))
    case "refund": self = .refund(authorization: SandboxRequest.decode(id))
    default: return nil
    }
  }

  var name: String {
    switch self {
    case .authorize: "authorize"
    case .capture: "capture"
    case .void: "void"
    case .refund: "refund"
    }
  }
}
