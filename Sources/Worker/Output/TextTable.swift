/// A table for people: columns as wide as their widest cell, a heading, no lines.
struct TextTable {
  enum Column: Equatable {
    case left(String)
    case right(String)

    var title: String {
      switch self {
      case .left(let title), .right(let title): title
      }
    }
  }

  let columns: [Column]
  let rows: [[String]]
  /// How wide a line may be: of the last column as much is shown as fits. Nil: all of it.
  var width: Int?

  var text: String {
    guard let width else { return whole }
    return whole.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.count > width ? String(line.prefix(max(width - 1, 0))) + "…" : String(line)
    }.joined(separator: "\n")
  }

  private var whole: String {
    let lines = [columns.map(\.title)] + rows.map { $0.map(Self.printable) }
    let widths = columns.indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { cells in
      var line = ""
      for (index, cell) in cells.enumerated() {
        let padding = String(repeating: " ", count: widths[index] - cell.count)
        let isLast = index == cells.count - 1
        switch columns[index] {
        case .left: line += cell + (isLast ? "" : padding + "  ")
        case .right: line += padding + cell + (isLast ? "" : "  ")
        }
      }
      // An empty last cell leaves the blanks before it.
      return String(line.reversed().drop { $0 == " " }.reversed())
    }.joined(separator: "\n")
  }

  /// Cells come from outside: a control character must not reach the terminal.
  static func printable(_ text: String) -> String {
    guard text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control }) else { return text }
    return String(String.UnicodeScalarView(text.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
  }
}
