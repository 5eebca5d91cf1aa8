/// A decimal number read from ASCII text without any loss: a sign, its digits without trailing zeros, and a power of ten.
///
/// Text goes in once, digit by digit; nothing is allocated, and the length of the text or the size of its exponent costs no more than reading it.
@usableFromInline
struct ExactDecimal {
  /// The digits without trailing zeros; 0 for zero, nil where they need more than 64 bits.
  @usableFromInline private(set) var significand: UInt64? = 0
  /// The power of ten that `significand` is to be multiplied by.
  @usableFromInline private(set) var exponent = 0
  @usableFromInline private(set) var isNegative = false
  /// Zeros after the last other digit: part of the number only once another digit follows.
  private var trailingZeros = 0

  @usableFromInline
  init() {}

  /// What a number is in units of 10^-`decimals`.
  @usableFromInline
  enum Scaled: Equatable {
    case whole(UInt64)
    case fraction
    /// A whole number of more than 64 bits.
    case tooLarge
  }

  @usableFromInline
  var isZero: Bool { significand == 0 }

  @usableFromInline
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

  @usableFromInline
  mutating func negate() { isNegative = true }

  @usableFromInline
  mutating func append(_ digit: UInt8, afterPoint: Bool) {
    if afterPoint { exponent -= 1 }
    guard digit != 0 else {
      if significand != 0 { trailingZeros += 1 }
      return
    }
    if let value = significand, let shifted = value == 0 ? 0 : trailingZeros < 20 ? Self.shifted(value, by: trailingZeros + 1) : nil {
      let (sum, overflow) = shifted.addingReportingOverflow(UInt64(digit))
      significand = overflow ? nil : sum
    } else {
      significand = nil
    }
    trailingZeros = 0
  }

  @usableFromInline
  mutating func finish(exponent given: Int) {
    exponent += trailingZeros + given
    trailingZeros = 0
  }

  /// A JSON number (RFC 8259); nil for any other text.
  @inlinable
  init?(json text: some Collection<UInt8>) {
    self.init()
    var rest = text.makeIterator()
    var next = rest.next()
    if next == 0x2D {
      negate()
      next = rest.next()
    }
    guard let first = next, let leading = Self.digit(first) else { return nil }
    append(leading, afterPoint: false)
    next = rest.next()
    while leading != 0, let byte = next, let digit = Self.digit(byte) {
      append(digit, afterPoint: false)
      next = rest.next()
    }
    if next == 0x2E {
      next = rest.next()
      guard let byte = next, Self.digit(byte) != nil else { return nil }
      while let byte = next, let digit = Self.digit(byte) {
        append(digit, afterPoint: true)
        next = rest.next()
      }
    }
    var power = 0
    if next == 0x65 || next == 0x45 {
      next = rest.next()
      let isBelowZero = next == 0x2D
      if isBelowZero || next == 0x2B { next = rest.next() }
      guard let byte = next, Self.digit(byte) != nil else { return nil }
      while let byte = next, let digit = Self.digit(byte) {
        // No text is long enough to bring a larger exponent back within reach.
        power = min(power * 10 + Int(digit), 1_000_000_000_000)
        next = rest.next()
      }
      if isBelowZero { power = -power }
    }
    guard next == nil else { return nil }
    finish(exponent: power)
  }

  /// `^\d{1,15}(\.\d+)?$` in ASCII; nil for any other text.
  @inlinable
  init?(plain text: some Collection<UInt8>) {
    self.init()
    var rest = text.makeIterator()
    var next = rest.next()
    var count = 0
    while let byte = next, let digit = Self.digit(byte) {
      count += 1
      append(digit, afterPoint: false)
      next = rest.next()
    }
    guard (1...15).contains(count) else { return nil }
    if next == 0x2E {
      next = rest.next()
      guard let byte = next, Self.digit(byte) != nil else { return nil }
      while let byte = next, let digit = Self.digit(byte) {
        append(digit, afterPoint: true)
        next = rest.next()
      }
    }
    guard next == nil else { return nil }
    finish(exponent: 0)
  }

  @inlinable
  static func digit(_ byte: UInt8) -> UInt8? { byte &- 0x30 < 10 ? byte &- 0x30 : nil }
}
