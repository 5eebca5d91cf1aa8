extension HostileBurst {
  /// Bodies that are no JSON that can be taken, or no object.
  mutating func addBodies() {
    let texts: [(String, String)] = [
      ("empty", ""), ("a space", " "), ("an array", "[]"), ("a string", #""order""#), ("a number", "7"), ("null", "null"), ("true", "true"),
      ("NaN", #"{"customer_id":NaN}"#), ("Infinity", #"{"customer_id":Infinity}"#), ("minus Infinity", #"{"customer_id":-Infinity}"#),
      ("a plus sign", #"{"a":+1}"#), ("a leading zero", #"{"a":01}"#), ("no digit before the point", #"{"a":.5}"#), ("no digit behind it", #"{"a":1.}"#),
      ("hexadecimal", #"{"a":0x10}"#), ("single quotes", "{'a':1}"), ("a trailing comma", #"{"a":1,}"#), ("a comment", #"{"a":1/**/}"#),
      ("two values", "{}{}"), ("a name without quotes", "{a:1}"), ("a newline in a string", "{\"a\":\"x\ny\"}"), ("an unknown escape", #"{"a":"\x"}"#),
      ("a lone high surrogate", #"{"a":"\ud800"}"#), ("a lone low surrogate", #"{"a":"\udc00x"}"#), ("two high surrogates", #"{"a":"\ud800\ud800"}"#),
      ("a high surrogate and a letter", #"{"a":"\ud800\u0041"}"#), ("a lone surrogate in a name", #"{"\uDFFF":1}"#),
    ]
    for (name, text) in texts { bad("malformed", naming: "body", "a body: \(name)", Array(text.utf8)) }

    let whole = Self.create()
    let bytes: [(String, [UInt8])] = [
      ("truncated", whole.dropLast(3)), ("truncated in a character", Array(#"{"a":"ä"#.utf8).dropLast()), ("not UTF-8", quoted([0x61, 0xFF, 0x62])),
      ("an overlong form", quoted([0xC0, 0x80])), ("a surrogate in UTF-8", quoted([0xED, 0xA0, 0x80])), ("beyond Unicode", quoted([0xF4, 0x90, 0x80, 0x80])),
      ("a raw NUL in a string", quoted([0x61, 0, 0x62])), ("a raw NUL behind it", whole + [0]), ("a byte order mark", [0xEF, 0xBB, 0xBF] + whole),
      ("UTF-16", whole.flatMap { [$0, 0] }), ("1 MiB", Self.padded(to: 1 << 20)), ("a byte more than 256 KiB", Self.padded(to: 262_145)),
      ("10,000 arrays", nested(open: "[", close: "]", levels: 10_000)), ("10,000 objects", nested(open: #"{"a":"#, close: "}", levels: 10_000)),
      ("100,000 arrays never closed", [UInt8](repeating: UInt8(ascii: "["), count: 100_000)), ("33 levels", deep(32)),
    ]
    for (name, body) in bytes { bad("malformed", naming: "body", "a body: \(name)", body) }
  }

  mutating func addGoodBodies() {
    let prices: [(String, Int64)] = [
      ("-0", 0), ("-0.00", 0), ("0e999", 0), ("29.990", 2_999), ("2999e-2", 2_999), (#""29.9900""#, 2_999), ("1E1", 1_000), ("0.1", 10),
      ("92233720368547758.07", Int64.max),
    ]
    for (price, total) in prices { good("a price of \(price)", total: total, Self.create(price: price)) }
    good("a price in yen", total: 1_500, Self.create(price: "1500.0", currency: "JPY"))
    good("a price in dinars", total: 1_505, Self.create(price: "1.505", currency: "KWD"))
    good("a quantity of 2.0", total: 200, Self.create(quantity: "2.0"))
    good("a quantity of 1e3", total: 100_000, Self.create(quantity: "1e3"))
    good(
      "binary fractions", total: 30,
      Self.create(items: #"[{"product_id":"p0","quantity":1,"unit_price":0.1},{"product_id":"p1","quantity":1,"unit_price":0.2}]"#))
    good("200 items", total: 20_000, Self.create(items: Self.items(200)))
    good("a body of 256 KiB", total: 100, Self.padded(to: 262_144))
    good("32 levels", total: 100, deep(31))
    good("unknown fields", total: 100, Self.create(rest: #","colour":"red","__proto__":{"x":[1,2,{}]}"#))
    good("nulls", total: 100, Self.create(rest: #","order_id":null,"payment_method":null,"confirm":null,"metadata":null"#))
    good("a pair of surrogates", total: 100, Self.create(customer: #""\ud83d\ude00😀""#))
    good("128 characters of four bytes", total: 100, Self.create(customer: "\"\(String(repeating: "😀", count: 128))\""))
    let pairs = (0..<50).map { #""k\#($0)":"v""# }.joined(separator: ",")
    good("50 pairs of metadata", total: 100, Self.create(rest: #","metadata":{\#(pairs)}"#))
  }

  private func quoted(_ bytes: [UInt8]) -> [UInt8] { Self.create(rest: #","note":""#).dropLast() + bytes + Array("\"}".utf8) }

  private func nested(open: String, close: String, levels: Int) -> [UInt8] {
    Self.create(rest: #","deep":"#).dropLast() + Array((String(repeating: open, count: levels) + "1" + String(repeating: close, count: levels) + "}").utf8)
  }

  /// A command with this many arrays, one in the other, inside its object.
  private func deep(_ levels: Int) -> [UInt8] { nested(open: "[", close: "]", levels: levels) }
}
