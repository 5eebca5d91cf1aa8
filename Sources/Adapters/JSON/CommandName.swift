import Application
import Domain

/// A command's or query's type as messages name it, with or without a version.
enum CommandName {
  /// Nil for a type or version that the worker does not know.
  static func known(_ name: String) -> CommandType? {
    switch name {
    case "order.create", "order.create.v1": .create
    case "order.update_status", "order.update_status.v1": .updateStatus
    default: nil
    }
  }

  static func query(_ name: String) -> QueryType? {
    QueryType(rawValue: name) ?? (name.hasSuffix(".v1") ? QueryType(rawValue: String(name.dropLast(3))) : nil)
  }

  /// One name for all that name the same command or query.
  static func canonical(_ name: String) -> String { known(name)?.rawValue ?? query(name)?.rawValue ?? name }

  static func same(_ a: String, _ b: String) -> Bool { a == b || canonical(a) == canonical(b) }
}
