import Application
import Crypto
import Domain

/// A list's cursor: opaque to its users, and good for the filter that it was made for only.
enum QueryCursor {
  static func encode(_ position: ListPosition, _ filter: OrderFilter, tenant: TenantID) -> String {
    var bytes: [UInt8] = []
    append(UInt64(bitPattern: position.createdAt.microseconds), to: &bytes)
    append(position.order.high, to: &bytes)
    append(position.order.low, to: &bytes)
    bytes += binding(bytes, filter, tenant)
    var text: [UInt8] = []
    Base64.appendURL(bytes, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// Nil where it is none, or another filter's.
  static func decode(_ text: String, _ filter: OrderFilter, tenant: TenantID) -> ListPosition? {
    guard let bytes = Base64.decode(text.utf8, .url), bytes.count == 32, Array(bytes[24...]) == binding(Array(bytes[..<24]), filter, tenant) else {
      return nil
    }
    func word(_ index: Int) -> UInt64 { bytes[(8 * index)..<(8 * index + 8)].reduce(0) { $0 << 8 | UInt64($1) } }
    let moment = Int64(bitPattern: word(0))
    guard moments.contains(moment) else { return nil }
    return ListPosition(createdAt: Timestamp(microseconds: moment), order: OrderID(high: word(1), low: word(2)))
  }

  /// The years 1 to 9999, which every database can be asked for.
  private static let moments: ClosedRange<Int64> = -62_135_596_800_000_000...253_402_300_799_999_999

  /// No secret: it tells a mistake, and what a cursor leads to is looked at by the reader's rights.
  private static func binding(_ position: [UInt8], _ filter: OrderFilter, _ tenant: TenantID) -> [UInt8] {
    var hash = SHA256()
    hash.update(data: position)
    hash.update(data: Array("\(tenant)\n\(filter.status?.rawValue ?? "")\n\(filter.customer)".utf8))
    return Array(hash.finalize().prefix(8))
  }

  private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
    for shift in stride(from: 56 as UInt64, through: 0, by: -8) { bytes.append(UInt8(truncatingIfNeeded: word >> shift)) }
  }
}
