/// Why a text is no amount of money.
package enum MoneyFault: Error, Hashable, Sendable, CaseIterable {
  case format
  /// Below zero.
  case negative
  /// By value, so `29.990` USD is none.
  case tooManyDecimals
  /// Beyond 2^63-1 minor units.
  case overflow
}

/// How an amount of money may be written.
package enum DecimalForm: Sendable {
  /// A JSON number, judged by value: `29.990`, `2999e-2`, `-0`.
  case jsonNumber
  /// The content of a string: `^\d{1,15}(\.\d+)?$`.
  case decimalString
}

extension Money {
  /// Reads an amount exactly from ASCII bytes, never by way of a binary fraction.
  ///
  /// The first that holds is the fault: `format`, `negative`, `tooManyDecimals`, `overflow`.
  package init(parsing text: ArraySlice<UInt8>, as form: DecimalForm = .jsonNumber, currency: Currency) throws(MoneyFault) {
    let read =
      switch form {
      case .jsonNumber: ExactDecimal(json: text.span)
      case .decimalString: ExactDecimal(plain: text.span)
      }
    guard let read else { throw .format }
    try self.init(read, currency: currency)
  }

  init(_ number: ExactDecimal, currency: Currency) throws(MoneyFault) {
    if number.isNegative && !number.isZero { throw .negative }
    switch number.scaled(toDecimals: currency.decimals) {
    case .whole(let units) where units <= UInt64(Int64.max): self.init(minorUnits: Int64(units), currency: currency)
    case .whole, .tooLarge: throw .overflow
    case .fraction: throw .tooManyDecimals
    }
  }
}

/// Reads whole numbers from JSON by value: `2.0`, `2e0` and `20e-1` are 2.
package enum WholeNumber {
  /// Why a JSON number is no whole number of 64 bits.
  package enum Fault: Error, Hashable, Sendable, CaseIterable {
    case format
    case notWhole
    /// Outside of -2^63 to 2^63-1.
    case range
  }

  package static func parse(_ text: ArraySlice<UInt8>) throws(Fault) -> Int64 {
    guard let number = ExactDecimal(json: text.span) else { throw .format }
    return try value(of: number)
  }

  static func value(of number: ExactDecimal) throws(Fault) -> Int64 {
    switch number.scaled(toDecimals: 0) {
    case .fraction: throw .notWhole
    case .tooLarge: throw .range
    case .whole(let magnitude):
      if number.isNegative {
        guard magnitude <= Int64.min.magnitude else { throw .range }
        return Int64(truncatingIfNeeded: 0 &- magnitude)
      }
      guard magnitude <= UInt64(Int64.max) else { throw .range }
      return Int64(magnitude)
    }
  }
}
