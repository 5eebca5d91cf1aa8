import Application
import Domain
import TestSupport
import Testing

/// Bodies made at random from the contract's rules: a good one decodes to what it was made from, and one fault put into it is found where it is.
@Suite struct GeneratedBodyTests {
  @Test func aGoodBodyDecodesToWhatItWasMadeFrom() throws {
    var random = SeededGenerator.forTest(#function)
    for _ in 0..<500 {
      let body = GeneratedBody(using: &random)
      let text = body.text(using: &random)
      let create = try #require(CommandFixture(text).create, "seed \(random.seed): \(text)")
      #expect(create.customer.rawValue == body.customer && create.total.currency == body.currency, "seed \(random.seed): \(text)")
      #expect(create.lines.map(\.product.rawValue) == body.lines.map(\.product), "seed \(random.seed): \(text)")
      #expect(create.lines.map(\.quantity.value) == body.lines.map(\.quantity), "seed \(random.seed): \(text)")
      #expect(create.lines.map(\.unitPrice.minorUnits) == body.lines.map(\.minorUnits), "seed \(random.seed): \(text)")
      #expect(create.total.minorUnits == body.lines.reduce(0) { $0 + $1.quantity * $1.minorUnits }, "seed \(random.seed): \(text)")
      #expect(
        create.metadata.map(\.key) == body.metadata.map(\.key) && create.metadata.map(\.value) == body.metadata.map(\.value), "seed \(random.seed): \(text)")
    }
  }

  @Test func oneFaultPutIntoAGoodBodyIsFoundWhereItIs() throws {
    var random = SeededGenerator.forTest(#function)
    for _ in 0..<500 {
      let body = GeneratedBody(using: &random)
      let item = Int.random(in: body.lines.indices, using: &random)
      let (name, value, code) = try #require(GeneratedBody.itemFaults.randomElement(using: &random))
      let text = body.text(replacing: (item, name, value), using: &random)
      #expect(CommandFixture(text).faults == ["items[\(item)].\(name) \(code.rawValue)"], "seed \(random.seed): \(text)")
    }
  }

  @Test func aGoodBodyCutAnywhereIsMalformed() throws {
    var random = SeededGenerator.forTest(#function)
    for _ in 0..<50 {
      let text = Array(GeneratedBody(using: &random).text(using: &random).utf8)
      let cut = Int.random(in: 0..<text.count, using: &random)
      #expect(CommandFixture(bytes: Array(text[..<cut])).refusal?.reason == .malformed, "seed \(random.seed), cut at \(cut)")
    }
  }

  @Test func aGoodBodyWithAnyByteChangedIsTakenOrRefusedButNeverCrashes() {
    var random = SeededGenerator.forTest(#function)
    var reasons: Set<DeadLetterReason?> = []
    for _ in 0..<5_000 {
      var text = Array(GeneratedBody(using: &random).text(using: &random).utf8)
      text[Int.random(in: text.indices, using: &random)] = UInt8.random(in: .min ... .max, using: &random)
      reasons.insert(CommandFixture(bytes: text).refusal?.reason)
    }
    #expect(reasons == [nil, .malformed, .invalid], "seed \(random.seed)")
  }
}

private struct GeneratedBody {
  struct Line {
    let product: String
    let quantity: Int64
    let minorUnits: Int64
  }

  static let itemFaults: [(name: String, value: String, code: FaultCode)] = [
    ("quantity", "0", .range), ("quantity", "1000001", .range), ("quantity", "2.5", .type), ("quantity", "\"2\"", .type), ("quantity", "null", .required),
    ("unit_price", "-5", .range), ("unit_price", "1.23456", .tooManyDecimals), ("unit_price", "\"1.23456\"", .tooManyDecimals),
    ("unit_price", "\"x\"", .format),
    ("unit_price", "1e99", .overflow), ("unit_price", "false", .type), ("unit_price", "null", .required), ("product_id", "\"\"", .required),
    ("product_id", "3", .type), ("product_id", "\"a\\nb\"", .format), ("product_id", "\"\(String(repeating: "x", count: 129))\"", .tooLong),
  ]

  let customer: String
  let currency: Currency
  let lines: [Line]
  let metadata: [(key: String, value: String)]

  init(using random: inout SeededGenerator) {
    customer = Self.word(1...128, using: &random)
    currency = Currency(["USD", "JPY", "KWD", "CLF"].randomElement(using: &random)!)!
    lines = (0..<Int.random(in: 1...12, using: &random)).map { position in
      Line(
        product: "\(position):" + Self.word(0...60, using: &random), quantity: .random(in: 1...1_000_000, using: &random),
        minorUnits: .random(in: 0...[10, 100_000, 700_000_000_000].randomElement(using: &random)!, using: &random))
    }
    metadata = (0..<Int.random(in: 0...5, using: &random)).map { ("\($0):" + Self.word(0...60, using: &random), Self.word(0...200, using: &random)) }
  }

  private static func word(_ lengths: ClosedRange<Int>, using random: inout SeededGenerator) -> String {
    let letters = Array("abcXYZ019 -_/\"\\äß€😀\u{FFFD}")
    return String((0..<Int.random(in: lengths, using: &random)).map { _ in letters.randomElement(using: &random)! })
  }

  func text(replacing fault: (item: Int, name: String, value: String)? = nil, using random: inout SeededGenerator) -> String {
    let items = lines.enumerated().map { position, line in
      var members = [
        ("product_id", Self.quoted(line.product, using: &random)), ("quantity", whole(line.quantity, using: &random)),
        ("unit_price", price(line.minorUnits, using: &random)),
      ]
      if let fault, fault.item == position { members[members.firstIndex { $0.0 == fault.name }!].1 = fault.value }
      return Self.object(members, using: &random)
    }
    let pairs = metadata.map { "\(Self.quoted($0.key, using: &random)):\(Self.quoted($0.value, using: &random))" }
    return Self.object(
      [
        ("customer_id", Self.quoted(customer, using: &random)), ("currency", "\"\(currency.code)\""), ("items", "[\(items.joined(separator: " , "))]"),
        ("metadata", "{\(pairs.joined(separator: ","))}"), ("confirm", "false"), ("unknown", "[{\"x\":1e5}]"),
      ], using: &random)
  }

  private static func object(_ members: [(String, String)], using random: inout SeededGenerator) -> String {
    "{" + members.shuffled(using: &random).map { "\"\($0.0)\" :\n\($0.1)" }.joined(separator: ",") + "}"
  }

  /// A string with some of its characters escaped, also where they need not be.
  private static func quoted(_ text: String, using random: inout SeededGenerator) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
      if scalar == "\"" || scalar == "\\" || Int.random(in: 0..<4, using: &random) == 0 {
        for unit in UTF16.encode(scalar)! {
          let digits = String(unit, radix: 16, uppercase: Bool.random(using: &random))
          result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      } else {
        result.unicodeScalars.append(scalar)
      }
    }
    return result + "\""
  }

  private func whole(_ value: Int64, using random: inout SeededGenerator) -> String {
    ["\(value)", "\(value).0", "\(value)e0", "\(value)0e-1"].randomElement(using: &random)!
  }

  private func price(_ minorUnits: Int64, using random: inout SeededGenerator) -> String {
    var plain: [UInt8] = []
    Money(minorUnits: minorUnits, currency: currency).appendText(to: &plain)
    let text = String(decoding: plain, as: UTF8.self)
    return [text, "\"\(text)\"", "\(minorUnits)e-\(currency.decimals)", text.contains(".") ? text + "00" : text + ".00"].randomElement(using: &random)!
  }
}
