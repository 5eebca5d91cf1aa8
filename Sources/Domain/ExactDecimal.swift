/// A decimal number read from ASCII text without any loss: a sign, its digits without trailing zeros, and a power of ten.
///
/// Text goes in once, digit by digit; nothing is allocated, and the length of the text or the size of its exponent costs no more than reading it.
struct ExactDecimal {
  /// The digits without trailing zeros; 0 for zero, nil where they need more than 64 bits.
  private(set) var significand: UInt64? = 0
  /// The power of ten that `significand` is to be multiplied by.
  private(set) var exponent = 0
  private(set) var isNegative = false
  /// Zeros after the last other digit: part of the number only once another digit follows.
  private var trailingZeros = 0

  /// What a number is in units of 10^-`decimals`.
  enum Scaled: Equatable {
    case whole(UInt64)
    case fraction
    /// A whole number of more than 64 bits.
    case tooLarge
  }

  var isZero: Bool { significand == 0 }

  func scaled(toDecimals decimals: Int) -> Scaled {
    if isZero { return .whole(0) }
    let power = exponent + decimals
    guard power >= 0 else { return .fraction }
    guard let significand, power < 19 else { return .tooLarge }
    return Self.shifted(significand, by: power).map(Scaled.whole) ?? .tooLarge
  }

  /// Nil where `value` × 10^`power` needs more than 64 bits.
  private static func shifted(_ value: UInt64, by power: Int) -> UInt64? {
    var result = value
    for _ in 0..<power {
      let (next, overflow) = result.multipliedReportingOverflow(by: 10)
      if overflow { return nil }
      result = next
    }
    return result
  }

  /// A JSON number (RFC 8259); nil for any other text.
  init?(json text: Span<UInt8>) {
    var at = 0
    if Self.has(0x2D, text, at) {
      isNegative = true
      at += 1
    }
    let start = at
    appendDigits(of: text, &at)
    // At least one digit, and no zero before others.
    guard at > start, at == start + 1 || text[start] != 0x30, appendFraction(of: text, &at) else { return nil }
    var power = 0
    if Self.has(0x65, text, at) || Self.has(0x45, text, at) {
      at += 1
      let isBelowZero = Self.has(0x2D, text, at)
      if isBelowZero || Self.has(0x2B, text, at) { at += 1 }
      let start = at
      while at < text.count, let digit = Self.digit(text[at]) {
        // No text is long enough to bring a larger exponent back within reach.
        power = min(power * 10 + Int(digit), 1_000_000_000_000)
        at += 1
      }
      guard at > start else { return nil }
      if isBelowZero { power = -power }
    }
    guard at == text.count else { return nil }
    finish(exponent: power)
  }

  /// `^\d{1,15}(\.\d+)?$` in ASCII; nil for any other text.
  init?(plain text: Span<UInt8>) {
    var at = 0
    appendDigits(of: text, &at)
    guard (1...15).contains(at), appendFraction(of: text, &at), at == text.count else { return nil }
    finish(exponent: 0)
  }

  private mutating func appendDigits(of text: Span<UInt8>, _ at: inout Int) {
    while at < text.count, let digit = Self.digit(text[at]) {
      append(digit)
      at += 1
    }
  }

  /// What follows a point, if there is one; false for a point without digits.
  private mutating func appendFraction(of text: Span<UInt8>, _ at: inout Int) -> Bool {
    guard Self.has(0x2E, text, at) else { return true }
    at += 1
    let start = at
    appendDigits(of: text, &at)
    exponent -= at - start
    return at > start
  }

  private mutating func append(_ digit: UInt8) {
    guard digit != 0 else {
      if significand != 0 { trailingZeros += 1 }
      return
    }
    if let value = significand, let shifted = trailingZeros < 20 ? Self.shifted(value, by: trailingZeros + 1) : nil {
      let (sum, overflow) = shifted.addingReportingOverflow(UInt64(digit))
      significand = overflow ? nil : sum
    } else {
      significand = nil
    }
    trailingZeros = 0
  }

  private mutating func finish(exponent given: Int) {
    exponent += trailingZeros + given
    trailingZeros = 0
  }

  private static func has(_ byte: UInt8, _ text: Span<UInt8>, _ at: Int) -> Bool { at < text.count && text[at] == byte }

  private static func digit(_ byte: UInt8) -> UInt8? { byte &- 0x30 < 10 ? byte &- 0x30 : nil }
}
