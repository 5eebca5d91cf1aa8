import Application
import Domain
import Testing

/// The rules of an `order.create` body: what is taken, and each fault with its place and code.
@Suite struct CreateOrderBodyTests {
  @Test func aWholeBodyIsReadFieldByField() throws {
    let fixture = CommandFixture(
      """
      {"order_id": "6F1C2D3E-AAAA-4000-8000-00000000000f", "customer_id": "grüße-1", "currency": "KWD", "unknown": {"x": [1]},
       "items": [{"product_id": "a", "quantity": 2.0, "unit_price": "1.505"}, {"quantity": 20e-1, "unit_price": 0, "product_id": "\\u0062", "more": 1}],
       "payment_method": "pm_ok", "confirm": true, "metadata": {"note": "ä\\n", "gone": null, "": ""}}
      """)
    let envelope = try #require(fixture.envelope)
    let create = try #require(fixture.create)
    #expect(create.order.description == "6f1c2d3e-aaaa-4000-8000-00000000000f" && create.choosesOrderID)
    #expect(create.customer.rawValue == "grüße-1" && create.paymentMethod?.rawValue == "pm_ok" && create.confirm)
    #expect(create.lines.map(\.product.rawValue) == ["a", "b"] && create.lines.map(\.quantity.value) == [2, 2])
    #expect(create.lines.map(\.unitPrice.minorUnits) == [1_505, 0] && create.total == Money(minorUnits: 3_010, currency: Currency("KWD")!))
    #expect(create.metadata == [MetadataEntry(key: "note", value: "ä\n"), MetadataEntry(key: "", value: "")])
    #expect(envelope.orderKey.order == create.order && envelope.identity.tenant == .standard)
  }

  @Test func whatIsAbsentOrNullTakesItsDefault() throws {
    let absent = try #require(CommandFixture(CommandFixture.good).create)
    let nulls = try #require(
      CommandFixture.create(#""order_id":null,"currency":null,"payment_method":null,"confirm":null,"metadata":null"#).create)
    #expect(absent == nulls)
    #expect(absent.total.currency.code == "USD" && absent.paymentMethod == nil && !absent.confirm && absent.metadata.isEmpty && !absent.choosesOrderID)
  }

  @Test func binaryFractionsAddUpExactly() throws {
    let fixture = CommandFixture(
      #"{"customer_id":"c","items":[{"product_id":"a","quantity":1,"unit_price":0.1},{"product_id":"b","quantity":1,"unit_price":0.2}]}"#)
    #expect(try #require(fixture.create).total.minorUnits == 30)
  }

  @Test(arguments: [
    (#""unit_price":29.990"#, 2_999), (#""unit_price":2999e-2"#, 2_999), (#""unit_price":-0"#, 0), (#""unit_price":-0.00"#, 0),
    (#""unit_price":"29.9900""#, 2_999),
    (#""unit_price":"\u0032\u0039""#, 2_900), (#""unit_price":0e999"#, 0), (#""unit_price":1E1"#, 1_000), (#""unit_price":92233720368547758.07"#, Int64.max),
    (#""unit_price":"000000000000029.99""#, 2_999),
  ])
  func pricesAreJudgedByValue(member: String, minorUnits: Int64) throws {
    #expect(try #require(CommandFixture.item(member).create).lines[0].unitPrice.minorUnits == minorUnits)
  }

  @Test(arguments: [
    (#""unit_price":29.999"#, "unit_price too_many_decimals"), (#""unit_price":1e-3"#, "unit_price too_many_decimals"),
    (#""unit_price":-1"#, "unit_price range"), (#""unit_price":-0.01"#, "unit_price range"), (#""unit_price":"-1""#, "unit_price format"),
    (#""unit_price":"-0""#, "unit_price format"), (#""unit_price":"""#, "unit_price format"), (#""unit_price":"1e2""#, "unit_price format"),
    (#""unit_price":"1,5""#, "unit_price format"), (#""unit_price":" 1""#, "unit_price format"), (#""unit_price":"NaN""#, "unit_price format"),
    (#""unit_price":"1234567890123456""#, "unit_price format"), (#""unit_price":"29.999""#, "unit_price too_many_decimals"),
    (#""unit_price":1e999"#, "unit_price overflow"), (#""unit_price":1E400"#, "unit_price overflow"),
    (#""unit_price":92233720368547758.08"#, "unit_price overflow"), (#""unit_price":true"#, "unit_price type"), (#""unit_price":[1]"#, "unit_price type"),
    (#""unit_price":{}"#, "unit_price type"), (#""unit_price":null"#, "unit_price required"),
    (#""unit_price":92233720368547758.07,"quantity":2"#, "unit_price overflow"),
    (#""quantity":0"#, "quantity range"), (#""quantity":-1"#, "quantity range"), (#""quantity":-0"#, "quantity range"),
    (#""quantity":1000001"#, "quantity range"),
    (#""quantity":1e999"#, "quantity range"), (#""quantity":1.5"#, "quantity type"), (#""quantity":1e-1"#, "quantity type"),
    (#""quantity":"2""#, "quantity type"), (#""quantity":true"#, "quantity type"), (#""quantity":null"#, "quantity required"),
    (#""product_id":"""#, "product_id required"), (#""product_id":7"#, "product_id type"), (#""product_id":null"#, "product_id required"),
    (#""product_id":"a\nb""#, "product_id format"), (#""product_id":"a\u0000b""#, "product_id format"), (#""product_id":"a\u009f""#, "product_id format"),
    ("\"product_id\":\"\(String(repeating: "ä", count: 129))\"", "product_id too_long"),
  ])
  func aFaultOfAnItemNamesItsFieldAndCode(member: String, fault: String) {
    #expect(CommandFixture.item(member).faults == ["items[0].\(fault)"])
  }

  @Test(arguments: [
    (#""quantity":1000000"#), (#""quantity":1e6"#), (#""quantity":1.0"#), (#""product_id":"\#(String(repeating: "😀", count: 128))""#),
    (#""product_id":"a b/ü""#),
  ])
  func whatIsWithinTheBordersOfAnItemIsTaken(member: String) {
    #expect(CommandFixture.item(member).create != nil)
  }

  @Test(arguments: [
    (#""customer_id":"""#, ["customer_id required"]), (#""customer_id":null"#, ["customer_id required"]), (#""customer_id":5"#, ["customer_id type"]),
    (#""customer_id":"\u007f""#, ["customer_id format"]), ("\"customer_id\":\"\(String(repeating: "c", count: 129))\"", ["customer_id too_long"]),
    (#""order_id":"x""#, ["order_id format"]), (#""order_id":5"#, ["order_id type"]), (#""order_id":"6f1c2d3e111142228333444455556666""#, ["order_id format"]),
    (#""order_id":"6f1c2d3e-1111-4222-8333-44445555666g""#, ["order_id format"]), (#""currency":"usd""#, ["currency format"]),
    (#""currency":"XXX""#, ["currency format"]), (#""currency":"""#, ["currency format"]), (#""currency":840"#, ["currency type"]),
    (#""items":[]"#, ["items range"]), (#""items":null"#, ["items required"]), (#""items":{}"#, ["items type"]), (#""items":"a""#, ["items type"]),
    (#""items":[5]"#, ["items[0] type"]), (#""items":[null]"#, ["items[0] type"]), (#""items":[[]]"#, ["items[0] type"]),
    (#""items":[{}]"#, ["items[0].product_id required", "items[0].quantity required", "items[0].unit_price required"]),
    (#""payment_method":"""#, ["payment_method required"]), (#""payment_method":1"#, ["payment_method type"]),
    (#""payment_method":"a\tb""#, ["payment_method format"]), ("\"payment_method\":\"\(String(repeating: "p", count: 129))\"", ["payment_method too_long"]),
    (#""confirm":"true""#, ["confirm type"]), (#""confirm":1"#, ["confirm type"]), (#""metadata":[]"#, ["metadata type"]),
    (#""metadata":"a""#, ["metadata type"]),
    (#""metadata":{"a":1}"#, ["metadata.a type"]), (#""metadata":{"a":{}}"#, ["metadata.a type"]),
    (#""metadata":{"a":"x\u0000"}"#, ["metadata.a format"]), (#""metadata":{"a\u0000":"x"}"#, ["metadata.a\u{FFFD} format"]),
    (#""ignored":[{"deep":"\u0000"}]"#, ["ignored[0].deep format"]), (#""ign\u0000ored":1"#, ["ign\u{FFFD}ored format"]),
    (#""customer_id":"x\u0000y","customer_id":"z""#, ["customer_id format"]),
  ])
  func aFaultOfTheBodyNamesItsFieldAndCode(members: String, faults: [String]) {
    let refusal = CommandFixture.create(members).refusal
    #expect(refusal?.reason == .invalid)
    #expect(refusal?.faults.map { "\($0.path) \($0.code.rawValue)" } == faults)
    #expect(refusal?.error.hasPrefix(refusal?.faults.first?.path ?? "-") == true, "the sentence names the field")
  }

  @Test func everyFaultIsListedAlsoBesideAFaultyCurrency() {
    let fixture = CommandFixture(
      """
      {"customer_id":"","currency":"EURO","items":[{"product_id":"a","quantity":0,"unit_price":1.23456},{"product_id":"b","quantity":1},
       {"product_id":"a","quantity":1,"unit_price":-1},{"product_id":"d","quantity":1,"unit_price":"x"}],"confirm":7}
      """)
    #expect(
      fixture.faults == [
        "customer_id required", "currency format", "items[0].quantity range", "items[1].unit_price required", "items[2].product_id duplicate",
        "items[2].unit_price range", "items[3].unit_price format", "confirm type",
      ])
    #expect(fixture.refusal?.error == "customer_id must not be empty (and 7 more)")
  }

  private static func items(_ count: Int) -> String {
    "\"items\":[" + (0..<count).map { "{\"product_id\":\"p\($0)\",\"quantity\":1,\"unit_price\":1}" }.joined(separator: ",") + "]"
  }

  @Test func twoHundredItemsAreTakenAndOneMoreIsNot() {
    #expect(CommandFixture.create(Self.items(200)).create?.lines.count == 200)
    #expect(CommandFixture.create(Self.items(201)).faults == ["items range"])
  }

  @Test func aTotalBeyond63BitsIsAFaultOfTheItems() {
    func body(_ second: String) -> CommandFixture {
      CommandFixture.create(
        #""items":[{"product_id":"a","quantity":1,"unit_price":92233720368547758.00},{"product_id":"b","quantity":1,"unit_price":\#(second)}]"#)
    }
    #expect(body("0.07").create?.total.minorUnits == .max)
    #expect(body("0.08").faults == ["items overflow"])
  }

  private static func metadata(_ pairs: Int, key: (Int) -> String = { "k\($0)" }, value: String = "v") -> String {
    "\"metadata\":{" + (0..<pairs).map { "\"\(key($0))\":\"\(value)\"" }.joined(separator: ",") + "}"
  }

  @Test func metadataIsBoundInPairsKeysAndValues() {
    #expect(CommandFixture.create(Self.metadata(50)).create?.metadata.count == 50)
    #expect(CommandFixture.create(Self.metadata(51)).faults == ["metadata range"])
    #expect(CommandFixture.create(Self.metadata(51, key: { "k\($0 % 50)" })).create?.metadata.count == 50, "a name given twice is one pair")
    let long = String(repeating: "ä", count: 64)
    #expect(CommandFixture.create(Self.metadata(1, key: { _ in long })).create != nil)
    #expect(CommandFixture.create(Self.metadata(1, key: { _ in long + "x" })).faults == ["metadata.\(long)… too_long"])
    #expect(CommandFixture.create(Self.metadata(1, value: String(repeating: "😀", count: 1_024))).create != nil)
    #expect(CommandFixture.create(Self.metadata(1, value: String(repeating: "😀", count: 1_025))).faults == ["metadata.k0 too_long"])
  }

  @Test func keysThatOnlyLookAlikeAreTwo() {
    #expect(CommandFixture.create(#""metadata":{"\u00e9":"1","e\u0301":"2"}"#).create?.metadata.count == 2)
  }
}
