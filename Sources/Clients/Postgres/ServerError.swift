/// An error as the PostgreSQL server reported it.
public struct ServerError: Error, Sendable, Hashable, CustomStringConvertible {
  /// Five characters, as appendix A of PostgreSQL's manual lists them.
  public let sqlState: String
  /// `ERROR`, `FATAL` or `PANIC`, whatever the server's language.
  public let severity: String
  public let message: String
  /// May quote a row's values: not for logs.
  public let detail: String?
  public let constraint: String?
  /// Which statement of the pipeline, counted from 0; nil where none was to blame.
  public let statementIndex: Int?
  /// That statement's name.
  public let statement: String?

  public init(
    sqlState: String, severity: String = "ERROR", message: String, detail: String? = nil, constraint: String? = nil,
    statementIndex: Int? = nil, statement: String? = nil
  ) {
    self.sqlState = sqlState
    self.severity = severity
    self.message = message
    self.detail = detail
    self.constraint = constraint
    self.statementIndex = statementIndex
    self.statement = statement
  }

  public var isSerializationOrDeadlock: Bool { sqlState == "40001" || sqlState == "40P01" || sqlState == "55P03" }

  public var meansServerIsUnwell: Bool {
    switch sqlState {
    case "25006", "57P01", "57P02", "57P03", "57P05": true
    default: sqlState.hasPrefix("53") || sqlState.hasPrefix("58") || sqlState.hasPrefix("XX") || sqlState.hasPrefix("08")
    }
  }

  /// The plan or name that the server kept for a prepared statement no longer fits: preparing again cures it.
  var meansPreparedStatementIsStale: Bool { sqlState == "0A000" && message.contains("cached plan") || sqlState == "26000" }

  /// 57014 is a statement that ran into `statement_timeout`.
  public var isRetriable: Bool {
    isSerializationOrDeadlock || meansServerIsUnwell || meansPreparedStatementIsStale || sqlState == "57014"
  }

  /// After these the session itself is over, whatever it was doing.
  var endsConnection: Bool { severity == "FATAL" || severity == "PANIC" }

  public var description: String {
    var text = "\(severity) \(sqlState): \(message)"
    if let constraint { text += " (constraint \(constraint))" }
    if let statement { text += " in \(statement)" }
    return text
  }
}
