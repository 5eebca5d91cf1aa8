/// An ISO 4217 currency and how many decimals its minor unit has.
package struct Currency: Hashable, Sendable, CustomStringConvertible {
  package let code: String
  package let decimals: Int

  /// Nil for a code that ISO 4217 does not list, or lists without a minor unit; case counts.
  package init?(_ code: String) {
    guard let decimals = CurrencyTable.decimals[code] else { return nil }
    self.code = code
    self.decimals = decimals
  }

  package var description: String { code }
  package static func == (a: Currency, b: Currency) -> Bool { a.code == b.code }
  package func hash(into hasher: inout Hasher) { hasher.combine(code) }
}

/// An amount in minor units of a currency (cents of USD, yen of JPY). Never a binary fraction.
package struct Money: Hashable, Sendable {
  package let minorUnits: Int64
  package let currency: Currency

  package init(minorUnits: Int64, currency: Currency) {
    self.minorUnits = minorUnits
    self.currency = currency
  }

  package static func zero(_ currency: Currency) -> Money { Money(minorUnits: 0, currency: currency) }

  /// Nil where the sum or product leaves 2^63-1 minor units.
  package func adding(_ other: Money) -> Money? {
    let (sum, overflow) = minorUnits.addingReportingOverflow(other.minorUnits)
    return overflow ? nil : Money(minorUnits: sum, currency: currency)
  }

  package func times(_ quantity: Quantity) -> Money? {
    let (product, overflow) = minorUnits.multipliedReportingOverflow(by: quantity.value)
    return overflow ? nil : Money(minorUnits: product, currency: currency)
  }

  package var isZero: Bool { minorUnits == 0 }

  /// A decimal string with all decimals of the currency, as ASCII bytes: `59.98`, `1200`, `3.010`.
  package func appendText(to bytes: inout [UInt8]) {
    if minorUnits < 0 { bytes.append(0x2D) }
    let magnitude = minorUnits.magnitude
    var digits = 1
    var divisor: UInt64 = 1
    while digits <= currency.decimals || magnitude / divisor >= 10 {
      digits += 1
      divisor *= 10
    }
    while digits > 0 {
      bytes.append(0x30 + UInt8(magnitude / divisor % 10))
      digits -= 1
      if digits == currency.decimals && digits > 0 { bytes.append(0x2E) }
      divisor /= 10
    }
  }
}

extension Money: CustomStringConvertible {
  /// For people: `59.98 USD`.
  package var description: String {
    var bytes: [UInt8] = []
    appendText(to: &bytes)
    return "\(String(decoding: bytes, as: UTF8.self)) \(currency)"
  }
}
