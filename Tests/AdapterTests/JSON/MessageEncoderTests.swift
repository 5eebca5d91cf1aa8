import Application
import Domain
import JSONAdapter
import Testing

/// What goes out, byte for byte.
@Suite struct MessageEncoderTests {
  private static let encoder = JSONMessageEncoder()
  private static let at = Timestamp(microseconds: 1_790_000_000_123_456)
  private static let id = OrderID("6f1c2d3e-1111-4222-8333-444455556666")!
  private static let usd = Currency("USD")!

  private static func order(
    tenant: String = "default", customer: String = "alice", metadata: [MetadataEntry] = [], currency: Currency = usd, price: Int64 = 2_999, version: Int64 = 1
  ) -> Order {
    let line = OrderLine(product: ProductID("p-1")!, quantity: Quantity(2)!, unitPrice: Money(minorUnits: price, currency: currency))!
    return Order(
      restoring: OrderKey(tenant: TenantID(tenant)!, order: id), customer: CustomerID(customer)!, lines: [line], total: line.total, metadata: metadata,
      paymentMethod: PaymentMethod("pm_secret"), status: .pending, heldFrom: nil, paymentStatus: .none, reservation: .held, version: version, createdAt: at,
      updatedAt: at + .seconds(1))
  }

  private static func context(trace: String? = nil) -> EventContext {
    EventContext(correlationID: "corr \"1\"", causationID: "msg-1", traceparent: trace, at: at)
  }

  private static let goldenOrder = """
    {"order_id":"6f1c2d3e-1111-4222-8333-444455556666","tenant_id":"default","customer_id":"alice","status":"pending","payment_status":"none",\
    "reservation":"held","version":1,"currency":"USD","total_amount":"59.98","items":[{"product_id":"p-1","quantity":2,"unit_price":"29.99",\
    "total_price":"59.98"}],"metadata":{"note":"gr\u{FC}\u{DF}e\\n"},"created_at":"2026-09-21T14:13:20.123456Z","updated_at":"2026-09-21T14:13:21.123456Z"}
    """

  @Test func anOrderIsWrittenWhole() {
    let order = Self.order(metadata: [MetadataEntry(key: "note", value: "grüße\n")])
    #expect(String(decoding: Self.encoder.order(order), as: UTF8.self) == Self.goldenOrder)
  }

  @Test func anEventIsACloudEventAroundTheOrder() {
    let order = Self.order(metadata: [MetadataEntry(key: "note", value: "grüße\n")])
    let event = Self.encoder.event(
      of: Change(order: order, previousStatus: nil, event: .created), order: Self.encoder.order(order), context: Self.context())
    // Python: uuid.uuid5(uuid.UUID("05db9093-32d0-4202-b8e0-4d1a27c70f2f"), "default/6f1c2d3e-1111-4222-8333-444455556666/1")
    let golden = """
      {"specversion":"1.0","id":"34f3d979-7eb1-5c1d-869b-9851c6ab5fb7","source":"/orders/default","type":"order.created",\
      "subject":"6f1c2d3e-1111-4222-8333-444455556666","time":"2026-09-21T14:13:20.123456Z","datacontenttype":"application/json",\
      "dataschema":"urn:order-worker:schema:events:order.created:1","correlationid":"corr \\"1\\"","causationid":"msg-1",\
      "partitionkey":"6f1c2d3e-1111-4222-8333-444455556666","sequence":"0000000001","traceparent":"00-34f3d9797eb15c1d869b9851c6ab5fb7-869b9851c6ab5fb7-00","data":\
      \(Self.goldenOrder.dropLast()),"previous_status":null}}
      """
    #expect(String(decoding: event.body, as: UTF8.self) == golden)
    #expect(event.type == .created && event.key == OutboxKey(order: order.key, version: 1, event: UUIDValue("34f3d979-7eb1-5c1d-869b-9851c6ab5fb7")!))
  }

  @Test func anEventIsTheSameInEveryRepeatAndAnotherForEachVersionTenantAndOrder() {
    func id(_ order: Order) -> UUIDValue {
      Self.encoder.event(of: Change(order: order, previousStatus: .pending, event: .onHold), order: Self.encoder.order(order), context: Self.context()).key
        .event
    }
    #expect(id(Self.order()) == id(Self.order()))
    #expect(Set([id(Self.order()), id(Self.order(version: 2)), id(Self.order(version: 12)), id(Self.order(tenant: "acme"))]).count == 4)
  }

  @Test func aLaterEventTellsPreviousStatusSequenceAndTrace() throws {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    let order = Self.order(tenant: "acme", version: 1_234_567)
    let event = Self.encoder.event(
      of: Change(order: order, previousStatus: .onHold, event: .resumed), order: Self.encoder.order(order), context: Self.context(trace: trace))
    let json = try JSONText(event.body)
    #expect(json["traceparent"] == trace && json["sequence"] == "0001234567" && json["source"] == "/orders/acme" && json["type"] == "order.resumed")
    #expect(json["data", "previous_status"] == "on_hold" && json["data", "version"] == "1234567" && json["data", "tenant_id"] == "acme")
  }

  @Test(arguments: EventType.allCases)
  func everyEventTypeHasASchemaOfItsOwn(type: EventType) throws {
    let order = Self.order()
    let event = Self.encoder.event(of: Change(order: order, previousStatus: .pending, event: type), order: Self.encoder.order(order), context: Self.context())
    #expect(try JSONText(event.body)["dataschema"] == "urn:order-worker:schema:events:\(type.rawValue):1")
  }

  @Test(arguments: [
    ("USD", 0, "0.00"), ("USD", 5, "0.05"), ("USD", 123_456, "1234.56"), ("JPY", 1_200, "1200"), ("JPY", 0, "0"), ("KWD", 1_505, "1.505"), ("CLF", 1, "0.0001"),
    ("USD", Int64.max / 2, "46116860184273879.03"),
  ])
  func moneyIsADecimalStringWithTheCurrencysDecimals(currency: String, minorUnits: Int64, expected: String) throws {
    let json = try JSONText(Self.encoder.order(Self.order(currency: Currency(currency)!, price: minorUnits)))
    #expect(json["items", 0, "unit_price"] == expected)
  }

  @Test func everyCharacterComesBack() throws {
    let text = String(String.UnicodeScalarView((1...0x300).map { Unicode.Scalar($0)! })) + "\u{2028}\u{FFFF}😀\u{10FFFF}\"\\/"
    let order = Self.order(customer: "a\"\\b😀", metadata: [MetadataEntry(key: text, value: text)])
    let json = try JSONText(Self.encoder.order(order))
    #expect(json["customer_id"] == "a\"\\b😀")
    #expect(json.metadata.first?.key == text && json.metadata.first?.value == text)
  }

  @Test func aRefusedCommandsEventIsNoVersionAndKeepsThePaymentMethodToItself() throws {
    let envelope = try #require(CommandFixture.update(#""status":"shipped","reason":"r","expected_version":3,"payment_method":"pm_secret""#).envelope)
    let rejection = Rejection(.illegalTransition, "no", details: [Fault(path: "status", code: .format, message: "m")])
    let event = Self.encoder.commandRejected(Self.refused(envelope), rejection, order: Self.order(), context: Self.context())
    let json = try JSONText(event.body)
    #expect(
      json["type"] == "order.command_rejected" && json["sequence"] == nil && json["subject"] == CommandFixture.id && json["partitionkey"] == CommandFixture.id)
    #expect(json["data", "command", "type"] == "order.update_status" && json["data", "command", "status"] == "shipped")
    #expect(
      json["data", "command", "reason"] == "r" && json["data", "command", "expected_version"] == "3" && json["data", "command", "order_id"] == CommandFixture.id
    )
    #expect(json["data", "error", "code"] == "illegal_transition" && json["data", "error", "details", 0, "path"] == "status")
    #expect(json["data", "order", "version"] == "1" && !String(decoding: event.body, as: UTF8.self).contains("pm_secret"))
    #expect(event.type == .commandRejected && event.key.version == 0 && event.key.event == NameUUID.rejection(envelope.identity))
    #expect(json["id"] == event.key.event.description)
  }

  @Test func aRefusedCreateWithoutAnOrderTellsNull() throws {
    let envelope = try #require(CommandFixture.create(#""payment_method":"pm_secret","metadata":{"a":"b"}"#).envelope)
    let event = Self.encoder.commandRejected(Self.refused(envelope), Rejection(.alreadyExists, "no"), order: nil, context: Self.context())
    let json = try JSONText(event.body)
    #expect(json["data", "order"] == "null" && json["data", "command", "customer_id"] == "c" && json["data", "command", "items", 0, "unit_price"] == "29.99")
    #expect(json["data", "command", "confirm"] == "false" && json["data", "command", "metadata", "a"] == "b" && json["data", "command", "currency"] == "USD")
    #expect(!String(decoding: event.body, as: UTF8.self).contains("pm_secret"))
  }

  private static func refused(_ envelope: CommandEnvelope) -> RefusedCommand {
    RefusedCommand(identity: envelope.identity, order: envelope.orderKey, body: encoder.command(envelope.command))
  }

  private static let accepted = CommandResult(order: id, status: .pending, version: 1)
  private static let short = Rejection(
    .outOfStock, "short", details: [Fault(path: "items[0].quantity", code: .outOfStock, message: "m", requested: 2, available: 0)])
  private static let head = #""message_id":"m","order_id":"6f1c2d3e-1111-4222-8333-444455556666","#
  private static let error =
    #""error":{"code":"out_of_stock","message":"short","details":[{"path":"items[0].quantity","code":"out_of_stock","message":"m","requested":2,"available":0}]}"#

  @Test(arguments: [
    (ReplyOutcome.first(accepted), #"{"outcome":"accepted",\#(head)"status":"pending","version":1}"#),
    (.duplicate(accepted), #"{"outcome":"duplicate","original":"accepted",\#(head)"status":"pending","version":1}"#),
    (
      .first(CommandResult(order: id, status: .rejected, version: 1, rejection: short)),
      #"{"outcome":"rejected",\#(head)"status":"rejected","version":1,\#(error)}"#
    ),
    (
      .duplicate(CommandResult(order: id, status: .rejected, version: 1, rejection: short)),
      #"{"outcome":"duplicate","original":"rejected",\#(head)"status":"rejected","version":1,\#(error)}"#
    ),
    (
      .first(CommandResult(order: nil, status: nil, version: nil, rejection: Rejection(.notFound, "no"))),
      #"{"outcome":"rejected","message_id":"m","error":{"code":"not_found","message":"no","details":[]}}"#
    ),
    (
      .deadLettered(.invalid, error: "e", faults: [Fault(path: "items", code: .range, message: "m")]),
      #"{"outcome":"dead_lettered","message_id":"m","error":{"code":"invalid","message":"e","details":[{"path":"items","code":"range","message":"m"}]}}"#
    ),
  ])
  func aReplySaysWhatBecameOfTheCommand(outcome: ReplyOutcome, expected: String) {
    #expect(String(decoding: Self.encoder.reply(outcome, messageID: "m"), as: UTF8.self) == expected)
  }

  @Test func aReplyToAMessageWithoutAnIDHasNone() {
    let reply = Self.encoder.reply(.deadLettered(.malformed, error: "e", faults: []), messageID: nil)
    #expect(String(decoding: reply, as: UTF8.self) == #"{"outcome":"dead_lettered","error":{"code":"malformed","message":"e","details":[]}}"#)
  }
}
