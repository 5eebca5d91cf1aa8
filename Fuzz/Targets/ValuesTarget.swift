import Application
import Domain

@testable import JSONAdapter
@testable import order_worker

/// Small values in texts: whatever is read is written as it was, and numbers are what long arithmetic says.
enum ValuesTarget {
  static func run(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    if let moment = Timestamp(text) { expect(moment.description == text, "a moment is written as another") }
    if let id = UUIDValue(text) { expect(id.description == text.lowercased() && UUIDValue(id.description) == id, "an id is written as another") }
    if let duration = DurationText.parse(text) {
      expect(DurationText.parse(DurationText.format(duration)) == duration, "a duration is written as another")
    }
    if let trace = TraceContext(text) { expect(text.utf8.count == 55 && TraceContext(trace.traceparent) == trace, "a trace is none") }
    if MessageID(text) != nil { expect((1...128).contains(text.unicodeScalars.count), "an id is out of its limits") }
    _ = MediaType(text)
    _ = EditDistance.between(String(text.prefix(64)), "ORDERS_PREFETCH")
    for code in ["JPY", "USD", "KWD", "CLF"] { money(input, Currency(code)!) }
    if let moment = words(input) { moments(moment) }
    cursor(text)
    if let star = text.firstIndex(of: "*") { patterns(String(text[..<star]), String(text[text.index(after: star)...])) }
  }

  private static func money(_ input: [UInt8], _ currency: Currency) {
    for form in [DecimalForm.jsonNumber, .decimalString] {
      guard let money = try? Money(parsing: input[...], as: form, currency: currency) else {
        if form == .jsonNumber, let units = LongDecimal(input)?.units(currency.decimals) { fatalError("an amount of \(units) units was refused") }
        continue
      }
      expect(money.minorUnits >= 0, "an amount is below zero")
      if let number = LongDecimal(input) { expect(number.units(currency.decimals) == money.minorUnits, "an amount is another") }
      var bytes: [UInt8] = []
      money.appendText(to: &bytes)
      expect((try? Money(parsing: bytes[...], currency: currency)) == money, "an amount is written as another")
    }
  }

  private static func words(_ input: [UInt8]) -> Int64? {
    input.count >= 8 ? Int64(bitPattern: input[..<8].reduce(0) { $0 << 8 | UInt64($1) }) : nil
  }

  private static func moments(_ microseconds: Int64) {
    let text = Timestamp(microseconds: microseconds).description
    expect(text.utf8.count == 27 && Timestamp(text)?.description == text, "a moment cannot be read again")
  }

  private static func cursor(_ text: String) {
    guard let customer = CustomerID(text) else { return }
    let filter = OrderFilter(customer: customer, status: nil)
    let position = ListPosition(createdAt: Fixed.now, order: Fixed.letter.id)
    expect(QueryCursor.decode(text, filter, tenant: .standard) == nil || text.utf8.count == 43, "a cursor of another length was taken")
    expect(QueryCursor.decode(QueryCursor.encode(position, filter, tenant: .standard), filter, tenant: .standard) == position, "a cursor leads elsewhere")
  }

  /// A pattern allows what it was made for, with anything for each of its stars.
  private static func patterns(_ pattern: String, _ filling: String) {
    let pattern = pattern.replacing("|", with: "*")
    guard !pattern.contains(","), !pattern.isEmpty, pattern.first != " ", pattern.last != " " else { return }
    let address = pattern.replacing("*", with: filling)
    let policy = ReplyToPolicy(patterns: pattern, ownPrefix: "orders")
    expect(policy.allows(address) || address.isEmpty || address.hasPrefix("orders."), "a pattern does not allow what it was made for")
    expect(!policy.allows("orders." + address), "the worker's own queues were allowed")
  }
}

/// A JSON number by plain long arithmetic, for texts and exponents that are not long.
private struct LongDecimal {
  private var digits: [UInt8] = []
  private var power = 0
  private var isNegative = false

  init?(_ text: [UInt8]) {
    guard text.count <= 64, let document = try? JSONParser.parse(text), document.root.kind == .number, document.root.range.count == text.count else {
      return nil
    }
    let parts = text.split(whereSeparator: { $0 == 0x65 || $0 == 0x45 })
    isNegative = text[0] == 0x2D
    if parts.count == 2 {
      guard let exponent = Int(String(decoding: parts[1], as: UTF8.self)), abs(exponent) < 100 else { return nil }
      power = exponent
    }
    let halves = parts[0].split(separator: 0x2E)
    for half in halves { digits += half.filter { $0 != 0x2D }.map { $0 - 0x30 } }
    if halves.count == 2 { power -= halves[1].count }
  }

  /// Nil where it is no whole number of units of 10^-`decimals`, is below zero, or has more than 63 bits.
  func units(_ decimals: Int) -> Int64? {
    var digits = digits
    var power = power + decimals
    while power < 0, !digits.isEmpty {
      guard digits.removeLast() == 0 else { return nil }
      power += 1
    }
    var value: Int64 = 0
    for digit in digits + [UInt8](repeating: 0, count: digits.isEmpty ? 0 : power) {
      let (product, overflow) = value.multipliedReportingOverflow(by: 10)
      let (sum, carry) = product.addingReportingOverflow(Int64(digit))
      guard !overflow, !carry else { return nil }
      value = sum
    }
    return isNegative && value != 0 ? nil : value
  }
}
