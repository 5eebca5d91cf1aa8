import Domain
import FoundationEssentials

/// A rejection as `processed_commands.rejection` keeps it, so that a duplicate is answered as the first time.
struct StoredRejection: Codable {
  struct Detail: Codable {
    let path: String
    let code: String
    let message: String
    let requested: Int64?
    let available: Int64?
  }

  let code: String
  let message: String
  let details: [Detail]

  static func encode(_ rejection: Rejection) -> String {
    let stored = StoredRejection(
      code: rejection.code.rawValue, message: rejection.message,
      details: rejection.details.map {
        Detail(path: $0.path, code: $0.code.rawValue, message: $0.message, requested: $0.requested, available: $0.available)
      })
    return (try? JSONEncoder().encode(stored)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
  }

  static func decode(_ text: String) -> Rejection? {
    guard let stored = try? JSONDecoder().decode(Self.self, from: Data(text.utf8)), let code = RejectionCode(rawValue: stored.code) else { return nil }
    return Rejection(
      code, stored.message,
      details: stored.details.compactMap { detail in
        FaultCode(rawValue: detail.code).map {
          Fault(path: detail.path, code: $0, message: detail.message, requested: detail.requested, available: detail.available)
        }
      })
  }
}

/// Metadata as `orders.metadata` keeps it: a JSON object.
enum StoredMetadata {
  static func decode(_ text: String) -> [MetadataEntry]? {
    guard let pairs = try? JSONDecoder().decode([String: String].self, from: Data(text.utf8)) else { return nil }
    return pairs.sorted { $0.key < $1.key }.map { MetadataEntry(key: $0.key, value: $0.value) }
  }

  /// On the path of every order, so by hand: quotes, backslashes and control characters are all that JSON asks to be escaped.
  static func append(_ metadata: [MetadataEntry], to text: inout [UInt8]) {
    text.append(0x7B)
    for (i, entry) in metadata.enumerated() {
      if i > 0 { text.append(0x2C) }
      append(entry.key, to: &text)
      text.append(0x3A)
      append(entry.value, to: &text)
    }
    text.append(0x7D)
  }

  private static func append(_ string: String, to text: inout [UInt8]) {
    text.append(0x22)
    for byte in string.utf8 {
      switch byte {
      case 0x22, 0x5C:
        text.append(0x5C)
        text.append(byte)
      case 0..<0x20:
        text.append(contentsOf: [0x5C, 0x75, 0x30, 0x30, 0x30 + (byte >> 4), (byte & 15) < 10 ? 0x30 + (byte & 15) : 0x57 + (byte & 15)])
      default: text.append(byte)
      }
    }
    text.append(0x22)
  }
}

/// What is authorised for an order, as `orders.payments` keeps it. The open operation is a row of `payments`.
enum StoredPaymentFacts {
  private struct Stored: Codable {
    struct Authorization: Codable {
      let id: String
      let minor: Int64
    }
    let count: Int
    let live: Authorization?
    let surplus: [Authorization]?
  }

  /// Nil where there is nothing to keep.
  static func encode(_ facts: PaymentFacts) -> String? {
    if facts == .none { return nil }
    func stored(_ authorization: PaymentAuthorization) -> Stored.Authorization {
      Stored.Authorization(id: authorization.id.rawValue, minor: authorization.amount.minorUnits)
    }
    let row = Stored(
      count: facts.count, live: facts.authorization.map(stored), surplus: facts.surplus.isEmpty ? nil : facts.surplus.map(stored))
    // Codable of three plain fields cannot fail.
    return String(decoding: try! JSONEncoder().encode(row), as: UTF8.self)
  }

  static func decode(_ text: String, currency: Currency) -> PaymentFacts? {
    guard let row = try? JSONDecoder().decode(Stored.self, from: Data(text.utf8)) else { return nil }
    func restored(_ authorization: Stored.Authorization) -> PaymentAuthorization? {
      AuthorizationID(authorization.id).map { PaymentAuthorization(id: $0, amount: Money(minorUnits: authorization.minor, currency: currency)) }
    }
    let surplus = (row.surplus ?? []).compactMap(restored)
    guard surplus.count == row.surplus?.count ?? 0 else { return nil }
    guard let live = row.live else { return PaymentFacts(surplus: surplus, count: row.count) }
    guard let authorization = restored(live) else { return nil }
    return PaymentFacts(authorization: authorization, surplus: surplus, count: row.count)
  }
}
