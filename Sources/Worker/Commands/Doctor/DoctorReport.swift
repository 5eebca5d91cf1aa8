import Operations

/// All findings, for people or for machines.
struct DoctorReport {
  /// What is worst comes first.
  let findings: [Finding]

  init(_ findings: [Finding]) {
    self.findings = Finding.Verdict.allCases.flatMap { verdict in findings.filter { $0.verdict == verdict } }
  }

  /// Whether somebody has to do something; with `strict` also about what only looks unwise.
  func isBad(strict: Bool) -> Bool { findings.contains { $0.verdict == .problem || strict && $0.verdict == .warning } }

  func count(_ verdict: Finding.Verdict) -> Int { findings.count { $0.verdict == verdict } }

  var summary: String {
    func number(_ verdict: Finding.Verdict, _ word: String) -> String { "\(count(verdict)) \(word)\(count(verdict) == 1 ? "" : "s")" }
    return "\(number(.problem, "problem")), \(number(.warning, "warning")), \(count(.ok)) ok, \(count(.notChecked)) not checked"
  }

  /// - Parameters:
  ///   - width: How wide a line may be: sentences go on below each other in their column, or where that is too narrow below their row. Nil: as long as
  ///     they are.
  ///   - isColoured: Whether a terminal shows it.
  func text(width: Int?, isColoured: Bool) -> String {
    let headings = ["VERDICT", "OF", "AT", "CHECK"]
    let cells = findings.map { [$0.verdict.rawValue, $0.subject.rawValue, Self.shortened($0.place ?? ""), $0.check] }
    let used = headings.indices.map { column in (cells.map { $0[column].count } + [headings[column].count]).max() ?? 0 }.reduce(0) { $0 + $1 + 2 }
    let room = width.map { $0 - used } ?? .max
    let table =
      room >= Self.leastRoom
      ? beside(headings + ["FOUND, AND → HOW TO MEND IT"], cells, room) : below(headings, cells, max(width ?? 0, Self.leastRoom) - Self.indent.count)
    return (isColoured ? Self.coloured(table) : table) + "\n\n" + summary
  }

  private static let leastRoom = 50
  private static let longestPlace = 30
  private static let indent = "  "

  private func beside(_ headings: [String], _ cells: [[String]], _ room: Int) -> String {
    let rows = zip(findings, cells).flatMap { finding, cells in
      Self.sentences(finding, room).enumerated().map { index, line in (index == 0 ? cells : ["", "", "", ""]) + [line] }
    }
    return TextTable(columns: headings.map(TextTable.Column.left), rows: rows).text
  }

  private func below(_ headings: [String], _ cells: [[String]], _ room: Int) -> String {
    let lines = TextTable(columns: headings.map(TextTable.Column.left), rows: cells).text.split(separator: "\n")
    let blocks = zip(findings, lines.dropFirst()).flatMap { finding, line in
      [String(line)] + Self.sentences(finding, room).map { Self.indent + TextTable.printable($0) }
    }
    return ([lines.first.map(String.init) ?? ""] + blocks).joined(separator: "\n")
  }

  /// A path's end says more than its beginning.
  private static func shortened(_ place: String) -> String { place.count > longestPlace ? "…" + place.suffix(longestPlace - 1) : place }

  private static func sentences(_ finding: Finding, _ room: Int) -> [String] {
    wrapped(finding.found, to: room) + (finding.mend.map { wrapped("→ " + $0, to: room) } ?? [])
  }

  var json: String {
    var json = JSONText(capacity: 8_192)
    json.object { json in
      json.name("findings")
      json.array(findings) { json, finding in
        json.object { json in
          json.member("verdict", finding.verdict.rawValue)
          json.member("of", finding.subject.rawValue)
          if let place = finding.place { json.member("at", place) } else { json.null("at") }
          json.member("check", finding.check)
          json.member("found", finding.found)
          if let mend = finding.mend { json.member("mend", mend) } else { json.null("mend") }
        }
      }
      json.name("counts")
      json.object { json in
        for verdict in Finding.Verdict.allCases { json.member(verdict.rawValue.replacing(" ", with: "_"), Int64(count(verdict))) }
      }
    }
    return json.text
  }

  /// Lines of whole words; a word that is longer than a line stays whole, so that it can be copied.
  private static func wrapped(_ text: String, to width: Int) -> [String] {
    var lines: [String] = []
    for word in text.split(separator: " ") {
      if let last = lines.last, last.count + 1 + word.count <= width { lines[lines.count - 1] += " " + word } else { lines.append(String(word)) }
    }
    return lines
  }

  private static func coloured(_ table: String) -> String {
    let colours: [(Finding.Verdict, String)] = [(.problem, "31"), (.warning, "33"), (.notChecked, "36"), (.ok, "32")]
    return table.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      for (verdict, colour) in colours where line.hasPrefix(verdict.rawValue + " ") {
        return "\u{1B}[\(colour)m\(verdict.rawValue)\u{1B}[0m" + line.dropFirst(verdict.rawValue.count)
      }
      return String(line)
    }.joined(separator: "\n")
  }
}
