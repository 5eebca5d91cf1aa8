/// Base64 in both alphabets of RFC 4648.
enum Base64 {
  enum Alphabet { case standard, url }

  private static let symbols: [UInt8] = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

  /// In the standard alphabet, padded.
  static func append(_ bytes: some Collection<UInt8>, to text: inout [UInt8]) {
    let start = text.count
    appendURL(bytes, to: &text)
    for position in start..<text.count {
      if text[position] == UInt8(ascii: "-") { text[position] = UInt8(ascii: "+") }
      if text[position] == UInt8(ascii: "_") { text[position] = UInt8(ascii: "/") }
    }
    while (text.count - start) % 4 != 0 { text.append(UInt8(ascii: "=")) }
  }

  /// In the URL alphabet, without padding.
  static func appendURL(_ bytes: some Collection<UInt8>, to text: inout [UInt8]) {
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for byte in bytes {
      bits = bits << 8 | UInt32(byte)
      count += 8
      while count >= 6 {
        count -= 6
        text.append(symbols[Int(bits >> count & 63)])
      }
    }
    if count > 0 { text.append(symbols[Int(bits << (6 - count) & 63)]) }
  }

  /// Nil for text that is not Base64 in that alphabet: the standard one must be padded, the URL one must not.
  static func decode(_ text: some BidirectionalCollection<UInt8>, _ alphabet: Alphabet) -> [UInt8]? {
    var text = text[...]
    if alphabet == .standard {
      guard text.count % 4 == 0 else { return nil }
      for _ in 0..<2 where text.last == UInt8(ascii: "=") { text = text.dropLast() }
    }
    guard text.count % 4 != 1 else { return nil }
    var result: [UInt8] = []
    result.reserveCapacity(text.count / 4 * 3 + 2)
    var bits: UInt32 = 0
    var count: UInt32 = 0
    for symbol in text {
      guard let value = value(symbol, alphabet) else { return nil }
      bits = bits << 6 | UInt32(value)
      count += 6
      if count >= 8 {
        count -= 8
        result.append(UInt8(truncatingIfNeeded: bits >> count))
      }
    }
    return bits & (1 << count - 1) == 0 ? result : nil
  }

  private static func value(_ symbol: UInt8, _ alphabet: Alphabet) -> UInt8? {
    switch symbol {
    case 0x41...0x5A: symbol - 0x41
    case 0x61...0x7A: symbol - 0x61 + 26
    case 0x30...0x39: symbol - 0x30 + 52
    case UInt8(ascii: "+") where alphabet == .standard: 62
    case UInt8(ascii: "/") where alphabet == .standard: 63
    case UInt8(ascii: "-") where alphabet == .url: 62
    case UInt8(ascii: "_") where alphabet == .url: 63
    default: nil
    }
  }
}
