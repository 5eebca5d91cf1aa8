import Domain
import Glibc

/// Who sits at this terminal, for audit and history, and for what is done under the operator's own rights.
enum OperatorIdentity {
  static let actor: String = {
    guard let entry = getpwuid(geteuid()), let name = entry.pointee.pw_name else { return "cli:\(geteuid())" }
    return "cli:\(String(cString: name))"
  }()

  /// Which tenant's is said where it is used.
  static let principal = Principal(subject: actor, roles: [.operator], tenant: .standard)
}
