/// A place in a JSON value (RFC 6901).
struct JSONPointer: Sendable {
  let text: String
  let tokens: [String]

  init(_ text: String) throws(JSONPatchFault) {
    guard text.isEmpty || text.hasPrefix("/") else { throw JSONPatchFault("\(text) is no place: it must be empty or begin with /") }
    self.text = text
    var tokens: [String] = []
    for part in text.split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      var token = ""
      var isEscape = false
      for character in part.unicodeScalars {
        switch (isEscape, character) {
        case (false, "~"): isEscape = true
        case (false, _): token.unicodeScalars.append(character)
        case (true, "0"): (token, isEscape) = (token + "~", false)
        case (true, "1"): (token, isEscape) = (token + "/", false)
        default: throw JSONPatchFault("\(text) is no place: ~ stands only before 0 or 1")
        }
      }
      if isEscape { throw JSONPatchFault("\(text) is no place: ~ stands only before 0 or 1") }
      tokens.append(token)
    }
    self.tokens = tokens
  }

  func isInside(_ other: JSONPointer) -> Bool { tokens.count > other.tokens.count && tokens.starts(with: other.tokens) }
}
