import Application
import Domain

/// Dead letters as tables and cards for people, to the width of their terminal.
enum DeadLetterTables {
  /// A wide terminal shows whole ids and times; a narrow one what tells them apart. Nil: as wide as it comes.
  static func list(_ letters: [DeadLetter], now: Timestamp, width: Int?) -> String {
    let isWide = width.map { $0 >= 140 } ?? true
    let showsState = letters.contains { $0.state != .parked }
    var columns: [TextTable.Column] = [.left("ID"), isWide ? .left("FAILED") : .right("AGE")]
    if isWide { columns.append(.right("TRIES")) }
    if showsState { columns.append(.left("STATE")) }
    columns += [.left("REASON"), .left("TYPE"), .left("ERROR")]
    let rows = letters.map { letter in
      let id = letter.key.id.description
      var row = [isWide ? id : String(id.prefix(8)), isWide ? time(letter.failedAt) : age(letter.failedAt, now)]
      if isWide { row.append("\(letter.attempts)") }
      if showsState { row.append(letter.state.rawValue) }
      return row + [letter.reason.rawValue, cut(letter.type ?? "-", 24), letter.error]
    }
    return TextTable(columns: columns, rows: rows, width: width).text
  }

  static func groups(_ groups: [DeadLetterGroup], _ by: DeadLetterGrouping, width: Int?) -> String {
    TextTable(
      columns: [.right("COUNT"), .left("OLDEST"), .left("NEWEST"), .left(by.rawValue.uppercased())],
      rows: groups.map { ["\($0.count)", time($0.oldest), time($0.newest), $0.name ?? "-"] }, width: width
    ).text
  }

  static func card(_ letter: DeadLetter, body: String?, headers: [(name: String, value: String)], width: Int?) -> String {
    let expired = letter.isTokenExpired ? "; the token had expired" : ""
    let sender = letter.principal.map { "\($0.subject) (\($0.roles.map(\.rawValue).sorted().joined(separator: ", "))\(expired))" } ?? "nobody verified"
    let facts = [
      ("id", letter.key.id.description), ("state", letter.state.rawValue), ("reason", letter.reason.rawValue), ("error", letter.error),
      ("message", letter.messageID ?? "- (replayed as \(letter.commandID))"), ("type", letter.type ?? "-"), ("order", letter.order?.description ?? "-"),
      ("sender", sender), ("tenant", letter.key.tenant.rawValue), ("attempts", "\(letter.attempts)"),
      ("failed", letter.firstFailedAt == letter.failedAt ? time(letter.failedAt) : "\(time(letter.failedAt)), first \(time(letter.firstFailedAt))"),
    ]
    var text = facts.map { name, value in fact(name, value, width) }.joined(separator: "\n")
    text += "\n\n" + history(letter.history, width).text
    if !headers.isEmpty {
      text += "\n\n" + TextTable(columns: [.left("HEADER"), .left("VALUE")], rows: headers.map { [$0.name, $0.value] }, width: width).text
    }
    let kept = letter.hasWholeBody ? "" : ", of which the first \(letter.body.count) are kept"
    text += "\n\nBODY (\(letter.bodySize) bytes\(kept))\n"
    text +=
      body.map { $0.split(separator: "\n", omittingEmptySubsequences: false).map { TextTable.printable(String($0)) }.joined(separator: "\n") }
      ?? "no text: --json has it in Base64"
    return text
  }

  /// A value that is too long goes on below, under itself.
  private static func fact(_ name: String, _ value: String, _ width: Int?) -> String {
    let indent = 10
    let lines = wrapped(value, to: (width ?? .max) - indent)
    return name + String(repeating: " ", count: indent - name.count) + lines.joined(separator: "\n" + String(repeating: " ", count: indent))
  }

  private static func history(_ events: [DeadLetterEvent], _ width: Int?) -> TextTable {
    let actors = events.map { $0.actor ?? "-" }
    let taken = 20 + 2 + max(actors.map(\.count).max() ?? 0, 2) + 2
    let rows = zip(events, actors).flatMap { event, actor in
      wrapped(event.what, to: (width ?? .max) - taken).enumerated().map { $0 == 0 ? [time(event.at), actor, $1] : ["", "", $1] }
    }
    return TextTable(columns: [.left("AT"), .left("BY"), .left("WHAT HAPPENED")], rows: rows, width: width)
  }

  /// In lines of whole words, where they fit.
  private static func wrapped(_ text: String, to length: Int) -> [String] {
    let room = max(length, 20)
    var lines: [String] = []
    var line = ""
    for word in TextTable.printable(text).split(separator: " ", omittingEmptySubsequences: false) {
      if !line.isEmpty, line.count + 1 + word.count > room {
        lines.append(line)
        line = String(word)
      } else {
        line += line.isEmpty ? String(word) : " \(word)"
      }
    }
    return lines + [line]
  }

  static func time(_ at: Timestamp) -> String { at.description.prefix(19) + "Z" }

  private static func cut(_ text: String, _ length: Int) -> String { text.count > length ? text.prefix(length - 1) + "…" : text }

  static func age(_ at: Timestamp, _ now: Timestamp) -> String {
    let seconds = max((now.microseconds - at.microseconds) / 1_000_000, 0)
    return switch seconds {
    case ..<120: "\(seconds)s"
    case ..<7_200: "\(seconds / 60)m"
    case ..<172_800: "\(seconds / 3_600)h"
    default: "\(seconds / 86_400)d"
    }
  }
}
