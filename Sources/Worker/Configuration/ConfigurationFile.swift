/// The configuration file: lines `ORDERS_NAME=value`.
///
/// Blank lines and lines that begin with `#` are left out, and so is what follows a blank and `#` behind a value. A value in `'…'` or
/// `"…"` is taken as it stands, blanks and `#` included; inside `"…"` a backslash takes the next character as it is.
enum ConfigurationFile {
  struct Line: Equatable {
    let number: Int
    let name: String
    let value: String
  }

  /// What is not a line as it should be comes back as sentences beside the rest.
  static func parse(_ text: String) -> (lines: [Line], faults: [String]) {
    var lines: [Line] = []
    var faults: [String] = []
    for (index, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline).enumerated() {
      let number = index + 1
      let content = line.trimmingBlanks
      if content.isEmpty || content.hasPrefix("#") { continue }
      guard let equals = content.firstIndex(of: "=") else {
        faults.append("line \(number) is not of the form ORDERS_NAME=value")
        continue
      }
      let name = content[..<equals].trimmingBlanks
      guard let value = value(content[content.index(after: equals)...].trimmingBlanks) else {
        faults.append("line \(number), \(name): the quotation marks of the value do not close, or something follows them")
        continue
      }
      lines.append(Line(number: number, name: name, value: value))
    }
    return (lines, faults)
  }

  private static func value(_ text: String) -> String? {
    guard let quote = text.first, quote == "\"" || quote == "'" else {
      var afterBlank = true
      let comment = text.firstIndex { character in
        defer { afterBlank = character == " " || character == "\t" }
        return character == "#" && afterBlank
      }
      return text[..<(comment ?? text.endIndex)].trimmingBlanks
    }
    var value = ""
    var rest = text.dropFirst()
    while let character = rest.popFirst() {
      if character == quote {
        let after = String(rest).trimmingBlanks
        return after.isEmpty || after.hasPrefix("#") ? value : nil
      }
      if character == "\\", quote == "\"", let next = rest.popFirst() { value.append(next) } else { value.append(character) }
    }
    return nil
  }
}

extension StringProtocol {
  /// Without blanks and tabs at both ends.
  var trimmingBlanks: String {
    func isBlank(_ character: Character) -> Bool { character == " " || character == "\t" }
    guard let first = firstIndex(where: { !isBlank($0) }), let last = lastIndex(where: { !isBlank($0) }) else { return "" }
    return String(self[first...last])
  }
}
