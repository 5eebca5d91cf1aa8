/// Statements to be sent together, with one flush and one synchronisation at the end, so that they cost one round trip.
///
/// Outside a transaction they are one: an error undoes those before it and skips those after it. `BEGIN` and `COMMIT` are statements too.
public struct Pipeline {
  struct Entry {
    let statement: Statement
    let parameters: Parameters
  }

  private(set) var entries: [Entry] = []

  public init() {}

  /// Returns the index of the statement's result.
  @discardableResult
  public mutating func append(_ statement: Statement, _ parameters: Parameters = []) -> Int {
    entries.append(Entry(statement: statement, parameters: parameters))
    return entries.count - 1
  }

  public var count: Int { entries.count }

  /// Whether something can stay in the database when the connection is lost on the way: a commit, or a statement outside a transaction.
  func canTakeEffect(startingInTransaction: Bool) -> Bool {
    var isOpen = startingInTransaction
    for entry in entries {
      switch entry.statement.role {
      case .begin: isOpen = true
      case .commit: return true
      case .rollback: isOpen = false
      case .other: if !isOpen { return true }
      }
    }
    return false
  }
}
