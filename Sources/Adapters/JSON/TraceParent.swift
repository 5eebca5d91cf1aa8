/// The W3C trace context header, as far as a message's place in a trace needs it.
enum TraceParent {
  private static let length = 55

  /// Version, trace id, parent id and flags in lower-case hexadecimal, neither id all zero.
  static func isValid(_ text: String) -> Bool {
    guard text.utf8.count == length else { return false }
    var versionFs = 0
    var nonZeroTrace = false
    var nonZeroParent = false
    for (i, byte) in text.utf8.enumerated() {
      if i == 2 || i == 35 || i == 52 {
        guard byte == UInt8(ascii: "-") else { return false }
        continue
      }
      guard (0x30...0x39).contains(byte) || (0x61...0x66).contains(byte) else { return false }
      if i < 2 && byte == UInt8(ascii: "f") { versionFs += 1 }
      if byte != 0x30 && (3..<35).contains(i) { nonZeroTrace = true }
      if byte != 0x30 && (36..<52).contains(i) { nonZeroParent = true }
    }
    return versionFs < 2 && nonZeroTrace && nonZeroParent
  }
}
