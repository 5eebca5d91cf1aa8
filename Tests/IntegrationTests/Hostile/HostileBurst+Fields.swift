import RabbitMQClient

extension HostileBurst {
  /// Bodies that are good JSON and no good command.
  mutating func addFields() {
    let item = "items[0]"
    func long(_ count: Int) -> String { "\"\(String(repeating: "x", count: count))\"" }
    let prices: [(String, [UInt8])] = [
      ("too many decimals", Self.create(price: "29.999")), ("too many decimals in text", Self.create(price: #""29.999""#)),
      ("decimals by exponent", Self.create(price: "1e-3")), ("decimals of yen", Self.create(price: "1.5", currency: "JPY")),
      ("decimals of dinars", Self.create(price: "1.2345", currency: "KWD")), ("negative", Self.create(price: "-0.01")),
      ("1e999", Self.create(price: "1e999")), ("1e9999999999999999999", Self.create(price: "1e9999999999999999999")),
      ("past 2^63", Self.create(price: "92233720368547758.08")), ("past 2^63 by the quantity", Self.create(quantity: "2", price: "92233720368547758.07")),
      ("NaN in text", Self.create(price: #""NaN""#)), ("1e2 in text", Self.create(price: #""1e2""#)), ("16 digits", Self.create(price: #""1234567890123456""#)),
      ("a comma", Self.create(price: #""1,5""#)), ("empty text", Self.create(price: #""""#)), ("true", Self.create(price: "true")),
      ("an array", Self.create(price: "[1]")), ("an object", Self.create(price: "{}")), ("null", Self.create(price: "null")),
    ]
    for (name, body) in prices { bad("invalid", naming: "\(item).unit_price", "a price: \(name)", body) }

    let quantities = ["0", "-1", "-0", "1.5", "1e-1", "1000001", "1e999", #""2""#, "true", "null", "[]", "{}"]
    for quantity in quantities { bad("invalid", naming: "\(item).quantity", "a quantity of \(quantity)", Self.create(quantity: quantity)) }

    let products = [#""""#, "7", "null", "false", "[]", "{}", #""a\nb""#, #""a\u0000b""#, #""a\u009fb""#, long(129)]
    for product in products { bad("invalid", naming: "\(item).product_id", "a product \(product.prefix(20))", Self.create(product: product)) }

    let customers = [#""""#, "5", "null", "true", "[]", "{}", #""\u0000""#, #""a\u007f""#, long(129)]
    for customer in customers { bad("invalid", naming: "customer_id", "a customer \(customer.prefix(20))", Self.create(customer: customer)) }

    let items: [(String, String)] = [
      ("none", "[]"), ("201", Self.items(201)), ("null", "null"), ("an object", "{}"), ("text", #""a""#), ("a number", "1"),
      ("numbers", "[5]"), ("nulls", "[null]"), ("arrays", "[[]]"),
      ("a total past 2^63", #"[{"product_id":"p0","quantity":1,"unit_price":92233720368547758.07},{"product_id":"p1","quantity":1,"unit_price":0.01}]"#),
    ]
    for (name, items) in items { bad("invalid", naming: "items", "items: \(name)", Self.create(items: items)) }
    let twice = #"[{"product_id":"p1","quantity":1,"unit_price":1},{"product_id":"p1","quantity":1,"unit_price":1}]"#
    bad("invalid", naming: "items[1].product_id", "items: a product twice", Self.create(items: twice))

    for currency in ["XXX", "usd", "US", "", "DOLLAR"] { bad("invalid", naming: "currency", "a currency of '\(currency)'", Self.create(currency: currency)) }

    let rest: [(field: String, value: String)] = [
      ("currency", "840"), ("currency", "{}"), ("order_id", "5"), ("order_id", #""x""#), ("order_id", #""6f1c2d3e-1111-4222-8333-44445555666g""#),
      ("payment_method", "1"), ("payment_method", #""""#), ("payment_method", long(129)), ("confirm", #""true""#), ("confirm", "1"), ("confirm", "[]"),
      ("metadata", "[]"), ("metadata", #""a""#), ("metadata", "1"), ("metadata", "{\(pairs(51))}"),
    ]
    for (field, value) in rest { bad("invalid", naming: field, "\(field) of \(value.prefix(40))", Self.create(rest: #","\#(field)":\#(value)"#)) }

    let metadata: [(String, String)] = [
      ("a number", #""a":1"#), ("an object", #""a":{}"#), ("U+0000", #""a":"x\u0000""#), ("1,025 characters", "\"a\":\(long(1_025))"),
    ]
    for (name, members) in metadata { bad("invalid", naming: "metadata.a", "metadata with \(name)", Self.create(rest: #","metadata":{\#(members)}"#)) }
    bad("invalid", naming: "metadata.", "metadata with a key of 65", Self.create(rest: #","metadata":{\#(long(65)):"v"}"#))
    bad("invalid", naming: "metadata.", "metadata with U+0000 in a key", Self.create(rest: #","metadata":{"b\u0000":"v"}"#))
    bad("invalid", naming: "ignored[0].deep", "U+0000 in an unknown field", Self.create(rest: #","ignored":[{"deep":"\u0000"}]"#))
    bad("invalid", naming: "customer_id", "an empty object", Array("{}".utf8))
    for (field, value) in [("status", #""shipping""#), ("status", "1"), ("expected_version", "0"), ("expected_version", "1.5"), ("reason", "7")] {
      let body = Array(#"{"order_id":"6f1c2d3e-1111-4222-8333-444455556666","status":"confirmed","\#(field)":\#(value)}"#.utf8)
      bad("invalid", naming: field, "an update's \(field) of \(value)", body) {
        $0.publication.routingKey = "order.update_status"
        $0.publication.properties.type = "order.update_status"
      }
    }
  }

  private func pairs(_ count: Int) -> String { (0..<count).map { #""k\#($0)":"v""# }.joined(separator: ",") }
}
