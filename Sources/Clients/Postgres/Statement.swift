/// PostgreSQL's number for a type, as `pg_type.oid` has it.
public typealias OID = UInt32

extension OID {
  public static let bool: OID = 16
  public static let bytea: OID = 17
  public static let int8: OID = 20
  public static let int2: OID = 21
  public static let int4: OID = 23
  public static let text: OID = 25
  public static let timestamptz: OID = 1184
  public static let uuid: OID = 2950
  public static let boolArray: OID = 1000
  public static let byteaArray: OID = 1001
  public static let int2Array: OID = 1005
  public static let int4Array: OID = 1007
  public static let textArray: OID = 1009
  public static let int8Array: OID = 1016
  public static let timestamptzArray: OID = 1185
  public static let uuidArray: OID = 2951
}

/// SQL that each connection prepares once, when it first runs it, and then calls by its name.
public struct Statement: Hashable, Sendable {
  /// Unique among the statements of one client.
  public let name: String
  public let sql: String
  /// Types of `$1`, `$2`, …; the server infers those that are left out or 0.
  public let parameterTypes: [OID]
  let role: Role

  enum Role: Sendable { case begin, commit, rollback, other }

  public init(name: String, sql: String, parameterTypes: [OID] = []) {
    self.name = name
    self.sql = sql
    self.parameterTypes = parameterTypes
    role = Role(of: sql)
  }

  public static let begin = Statement(name: "begin", sql: "BEGIN")
  public static let commit = Statement(name: "commit", sql: "COMMIT")
  public static let rollback = Statement(name: "rollback", sql: "ROLLBACK")

  public static func == (a: Statement, b: Statement) -> Bool {
    a.name == b.name && a.sql == b.sql && a.parameterTypes == b.parameterTypes
  }

  public func hash(into hasher: inout Hasher) { hasher.combine(name) }
}

extension Statement.Role {
  /// Read from the first word: it decides whether a lost connection can have committed something.
  init(of sql: String) {
    let words = sql.split(maxSplits: 3) { $0.isWhitespace || $0 == ";" }.map { $0.uppercased() }
    switch words.first {
    case "BEGIN", "START": self = .begin
    case "COMMIT", "END": self = .commit
    case "ROLLBACK", "ABORT": self = words.contains("TO") ? .other : .rollback
    default: self = .other
    }
  }
}
