/// How much of a value may be shown.
enum SettingMasking: Sendable {
  case none
  /// All but the password inside a URL or a libpq string.
  case password
  /// All but the password and the query of a URL.
  case passwordAndQuery
  /// Nothing.
  case whole

  static let mask = "***"

  func mask(_ text: String) -> String {
    switch self {
    case .none: text
    case .whole: Self.mask
    case .passwordAndQuery: Self.maskQuery(Self.maskUserInfo(text))
    case .password: Self.maskParameters(Self.maskUserInfo(text))
    }
  }

  private static func maskQuery(_ text: String) -> String {
    guard let query = text.firstIndex(of: "?") else { return text }
    return text[...query] + mask
  }

  /// `scheme://user:password@…`. A password may hold a raw `/` or `@` where nobody escaped it, so it ends at the last `@`.
  private static func maskUserInfo(_ text: String) -> String {
    guard let scheme = text.firstRange(of: "://"), let at = text.lastIndex(of: "@"), at > scheme.upperBound,
      let colon = text[scheme.upperBound..<at].firstIndex(of: ":")
    else { return text }
    return text[...colon] + mask + text[at...]
  }

  /// `password=…` between `?`, `&` or blanks, in quotation marks or not.
  private static func maskParameters(_ text: String) -> String {
    var masked = ""
    var rest = text[...]
    while let name = rest.firstRange(of: "password") {
      masked += rest[..<name.upperBound]
      rest = rest[name.upperBound...]
      let equals = rest.prefix { $0 == " " || $0 == "=" }
      guard equals.contains("=") else { continue }
      masked += equals + mask
      rest = rest[equals.endIndex...]
      if rest.first == "'" {
        // libpq escapes a quotation mark with a backslash.
        var escaped = false
        let end = rest.dropFirst().firstIndex { character in
          defer { escaped = character == "\\" && !escaped }
          return character == "'" && !escaped
        }
        rest = end.map { rest[rest.index(after: $0)...] } ?? rest[rest.endIndex...]
      } else {
        rest = rest.drop { $0 != "&" && !$0.isWhitespace }
      }
    }
    return masked + rest
  }
}
