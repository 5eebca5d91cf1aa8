/// Text of 1 to 128 characters (Unicode scalars) without control characters, as every identifier that the outside chooses.
package protocol TextIdentifier: Hashable, Comparable, Sendable, CustomStringConvertible {
  var rawValue: String { get }
  init?(_ text: String)
}

extension TextIdentifier {
  package var description: String { rawValue }

  /// By bytes, as PostgreSQL compares under the collation "C". `String` itself takes two spellings of `é` for one, and two messages would become one.
  package static func == (a: Self, b: Self) -> Bool {
    // The first two are fast, and settle it where one is ASCII: whatever else `String` takes for an ASCII letter has more bytes.
    a.rawValue.utf8.count == b.rawValue.utf8.count && a.rawValue == b.rawValue
      && (a.rawValue.utf8Span.isKnownASCII || a.rawValue.utf8.elementsEqual(b.rawValue.utf8))
  }
  package static func < (a: Self, b: Self) -> Bool {
    if a.rawValue.utf8Span.isKnownASCII && b.rawValue.utf8Span.isKnownASCII { return a.rawValue < b.rawValue }
    return a.rawValue.utf8.lexicographicallyPrecedes(b.rawValue.utf8)
  }
}

/// What is wrong with a text that was to be an identifier.
package enum IdentifierFault: Equatable, Sendable { case empty, tooLong, controlCharacter }

package func identifierFault(_ text: String, longest: Int = 128) -> IdentifierFault? {
  var count = 0
  for scalar in text.unicodeScalars {
    if scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) { return .controlCharacter }
    count += 1
    if count > longest { return .tooLong }
  }
  return count == 0 ? .empty : nil
}

package struct CustomerID: TextIdentifier {
  package let rawValue: String
  package init?(_ text: String) {
    guard identifierFault(text) == nil else { return nil }
    rawValue = text
  }
}

package struct ProductID: TextIdentifier {
  package let rawValue: String
  package init?(_ text: String) {
    guard identifierFault(text) == nil else { return nil }
    rawValue = text
  }
}

/// The id that the sender gave its message: with the tenant the command's identity for ever.
package struct MessageID: TextIdentifier {
  package let rawValue: String
  package init?(_ text: String) {
    guard identifierFault(text) == nil else { return nil }
    rawValue = text
  }
}

/// A token for the payment provider. Never logged.
package struct PaymentMethod: Hashable, Sendable, CustomStringConvertible, CustomReflectable {
  package let rawValue: String
  package init?(_ text: String) {
    guard identifierFault(text) == nil else { return nil }
    rawValue = text
  }
  package var description: String { "(masked)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// Whose data it is: `[a-z0-9][a-z0-9._-]{0,62}`.
package struct TenantID: TextIdentifier {
  package let rawValue: String
  package init?(_ text: String) {
    let utf8 = text.utf8
    guard (1...63).contains(utf8.count) else { return nil }
    func isAlphanumeric(_ c: UInt8) -> Bool { (0x61...0x7A).contains(c) || (0x30...0x39).contains(c) }
    guard isAlphanumeric(utf8.first!), utf8.allSatisfy({ isAlphanumeric($0) || $0 == 0x2E || $0 == 0x5F || $0 == 0x2D }) else { return nil }
    rawValue = text
  }
  private init(known: String) { rawValue = known }
  package static let standard = TenantID(known: "default")
}

/// A UUID as two words, ordered as PostgreSQL orders `uuid`.
package struct UUIDValue: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let high: UInt64
  package let low: UInt64

  package init(high: UInt64, low: UInt64) {
    self.high = high
    self.low = low
  }

  /// The canonical form, 8-4-4-4-12 hexadecimal digits in either case; nil for anything else.
  package init?(_ text: String) {
    var text = text
    let words: (UInt64, UInt64)? = text.withUTF8 { bytes in
      guard bytes.count == 36 else { return nil }
      var high: UInt64 = 0
      var low: UInt64 = 0
      var digits = 0
      for (i, c) in bytes.enumerated() {
        if i == 8 || i == 13 || i == 18 || i == 23 {
          guard c == 0x2D else { return nil }
          continue
        }
        let value: UInt8
        switch c {
        case 0x30...0x39: value = c - 0x30
        case 0x61...0x66: value = c - 0x61 + 10
        case 0x41...0x46: value = c - 0x41 + 10
        default: return nil
        }
        if digits < 16 { high = high << 4 | UInt64(value) } else { low = low << 4 | UInt64(value) }
        digits += 1
      }
      return (high, low)
    }
    guard let words else { return nil }
    (high, low) = words
  }

  /// The first 16 bytes of `bytes`, marked as a UUID of `version` (RFC 9562).
  package init(_ bytes: some Sequence<UInt8>, version: UInt64) {
    // An array, so that the loop below is not generic: this stands on the path of every event.
    let bytes = Array(bytes)
    var high: UInt64 = 0
    var low: UInt64 = 0
    for i in 0..<16 {
      if i < 8 { high = high << 8 | UInt64(bytes[i]) } else { low = low << 8 | UInt64(bytes[i]) }
    }
    self.high = high & 0xFFFF_FFFF_FFFF_0FFF | version << 12
    self.low = low & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000
  }

  /// A random one (version 4).
  package static func random(using random: inout some RandomNumberGenerator) -> UUIDValue {
    UUIDValue(high: random.next() & 0xFFFF_FFFF_FFFF_0FFF | 0x4000, low: random.next() & 0x3FFF_FFFF_FFFF_FFFF | 0x8000_0000_0000_0000)
  }

  /// The canonical form in lower case, as 36 ASCII bytes.
  package func appendText(to bytes: inout [UInt8]) {
    for i in 0..<16 {
      if i == 4 || i == 6 || i == 8 || i == 10 { bytes.append(0x2D) }
      let word = i < 8 ? high : low
      let byte = UInt8(truncatingIfNeeded: word >> UInt64(56 - 8 * (i & 7)))
      bytes.append(Self.digit(byte >> 4))
      bytes.append(Self.digit(byte & 15))
    }
  }

  private static func digit(_ nibble: UInt8) -> UInt8 { nibble < 10 ? 0x30 + nibble : 0x57 + nibble }

  package var description: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(36)
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  package static func < (a: UUIDValue, b: UUIDValue) -> Bool { a.high != b.high ? a.high < b.high : a.low < b.low }
}

package typealias OrderID = UUIDValue

/// An order's whole key: the tenant leads, everywhere.
package struct OrderKey: Hashable, Comparable, Sendable {
  package let tenant: TenantID
  package let order: OrderID
  package init(tenant: TenantID, order: OrderID) {
    self.tenant = tenant
    self.order = order
  }
  // Order and hash by the part that tells nearly all apart: a batch compares its keys some thousand times.
  package static func < (a: OrderKey, b: OrderKey) -> Bool { a.order != b.order ? a.order < b.order : a.tenant < b.tenant }
  package func hash(into hasher: inout Hasher) { hasher.combine(order) }
}

/// A product of a tenant.
package struct ProductKey: Hashable, Comparable, Sendable {
  package let tenant: TenantID
  package let product: ProductID
  package init(tenant: TenantID, product: ProductID) {
    self.tenant = tenant
    self.product = product
  }
  package static func < (a: ProductKey, b: ProductKey) -> Bool { a.product != b.product ? a.product < b.product : a.tenant < b.tenant }
  package func hash(into hasher: inout Hasher) { hasher.combine(product) }
}
