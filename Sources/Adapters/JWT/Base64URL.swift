import FoundationEssentials

/// Base64 in the URL alphabet of RFC 4648, without padding, as JSON Web Tokens have it.
enum Base64URL {
  /// Nil for anything else, also for padding and for the other alphabet.
  static func decode(_ text: some Collection<UInt8>) -> [UInt8]? {
    var standard: [UInt8] = []
    standard.reserveCapacity(text.count + 3)
    for symbol in text {
      switch symbol {
      case UInt8(ascii: "-"): standard.append(UInt8(ascii: "+"))
      case UInt8(ascii: "_"): standard.append(UInt8(ascii: "/"))
      case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
      default: standard.append(symbol)
      }
    }
    while standard.count % 4 != 0 { standard.append(UInt8(ascii: "=")) }
    return Data(base64Encoded: Data(standard)).map(Array.init)
  }

  static func encode(_ bytes: some Collection<UInt8>) -> String {
    var text = ""
    for character in Data(bytes).base64EncodedString() where character != "=" {
      text.append(character == "+" ? "-" : character == "/" ? "_" : character)
    }
    return text
  }
}
