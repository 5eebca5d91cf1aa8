import Application
import Domain
import JSONAdapter
import Testing

/// What makes a message `malformed`, and what is known of it nevertheless.
@Suite struct TransportTests {
  struct Fault: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let sentence: String
    let change: @Sendable (inout CommandFixture) -> Void
    init(_ name: String, _ sentence: String, _ change: @escaping @Sendable (inout CommandFixture) -> Void) {
      testDescription = name
      self.sentence = sentence
      self.change = change
    }
  }

  private static let faults: [Fault] = [
    Fault("too many headers", "headers") { $0.headersExceedLimits = true },
    Fault("a property that is not UTF-8", "UTF-8") { $0.hasInvalidText = true },
    Fault("gzip", "content_encoding") { $0.message.contentEncoding = "gzip" },
    Fault("utf-8 as encoding", "content_encoding") { $0.message.contentEncoding = "utf-8" },
    Fault("text", "content_type") { $0.message.contentType = "text/plain" },
    Fault("a JSON that is not ours", "content_type") { $0.message.contentType = "application/problem+json" },
    Fault("a batch", "content_type") { $0.message.contentType = "application/cloudevents-batch+json" },
    Fault("no message id", "message_id is missing") { $0.message.messageID = nil },
    Fault("an empty message id", "message_id is empty") { $0.message.messageID = "" },
    Fault("a long message id", "message_id has more than 128") { $0.message.messageID = String(repeating: "x", count: 129) },
    Fault("a control character in the message id", "message_id holds a control") { $0.message.messageID = "a\u{7F}b" },
    Fault("type and routing key that differ", "type and routing key") { $0.message.routingKey = "order.update_status" },
    Fault("an empty routing key beside a type", "type and routing key") { $0.message.routingKey = "" },
    Fault("an empty body", "byte 0") { $0.message.body = [] },
    Fault("a truncated body", "ends too early at byte 15") { $0.message.body = Array(#"{"customer_id":"#.utf8) },
    Fault("an array", "must be a JSON object") { $0.message.body = Array("[]".utf8) },
    Fault("a string", "must be a JSON object") { $0.message.body = Array("\"{}\"".utf8) },
    Fault("not UTF-8", "not UTF-8 at byte 6") { $0.message.body = Array("{\"a\":\"".utf8) + [0xFF] + Array("\"}".utf8) },
    Fault("a byte order mark", "byte order mark") { $0.message.body = [0xEF, 0xBB, 0xBF] + $0.message.body },
    Fault("NaN", "byte") { $0.message.body = Array(#"{"customer_id":"c","items":[{"product_id":"p","quantity":1,"unit_price":NaN}]}"#.utf8) },
    Fault("a raw U+0000", "control character") { $0.message.body = Array("{\"customer_id\":\"c\u{0}\"}".utf8) },
    Fault("a lone surrogate", "surrogate") { $0.message.body = Array(#"{"customer_id":"\ud800"}"#.utf8) },
    Fault("10,000 levels", "32 levels") { $0.message.body = Array((#"{"a":"# + String(repeating: "[", count: 10_000)).utf8) },
    Fault("1 MiB", "1048576 bytes") { $0.message.body = [UInt8](repeating: 0x20, count: 1 << 20) },
    Fault("one byte over 256 KiB", "262145 bytes") { $0.message.body += [UInt8](repeating: 0x20, count: 262_145 - $0.message.body.count) },
  ]

  @Test(arguments: faults)
  func aMalformedMessageIsRefusedWithASentenceAndItsSenderCanBeAnswered(fault: Fault) throws {
    var fixture = CommandFixture(CommandFixture.good)
    fixture.message.correlationID = "mine"
    let refusal = try #require(fixture.changing(fault.change).refusal)
    #expect(refusal.reason == .malformed && refusal.error.contains(fault.sentence), "\(refusal.error)")
    #expect(refusal.replyTo == "amq.rabbitmq.reply-to.g1h2" && refusal.correlationID == "mine" && refusal.type == "order.create" && refusal.faults.isEmpty)
    let keepsItsID = !fault.sentence.contains("message_id")
    #expect(refusal.messageID == (keepsItsID ? CommandFixture.id : nil))
  }

  @Test(arguments: [
    nil, "", "application/json", "Application/JSON", "application/json; charset=utf-8", "application/json;charset=UTF-8", "application/json ; x=y",
  ])
  func theseContentTypesAreJSON(contentType: String?) {
    #expect(CommandFixture(CommandFixture.good).changing { $0.message.contentType = contentType }.create != nil)
  }

  @Test func aBodyOf256KiBIsTaken() {
    #expect(CommandFixture(CommandFixture.good).changing { $0.message.body += [UInt8](repeating: 0x20, count: 262_144 - $0.message.body.count) }.create != nil)
  }

  @Test(arguments: ["a", String(repeating: "😀", count: 63), "ü/ \"'", String(repeating: "x", count: 128)])
  func theseMessageIDsAreTaken(id: String) {
    #expect(CommandFixture(CommandFixture.good, id: id).envelope?.identity.message.rawValue == id)
  }

  @Test(arguments: [
    ("order.create", "order.create", "orders.commands"), (nil, "order.create", "orders.commands"), ("", "order.create", "orders.commands"),
    (nil, "order.create.v1", "orders.commands"), ("order.create.v1", "order.create.v1", "orders.commands"), ("order.create", "orders.commands", ""),
    ("order.create.v1", "orders.commands", ""), ("order.create", "anything", "another.exchange"), (nil, "order.create", "another.exchange"),
  ])
  func theTypeIsTheAMQPTypeOrElseTheRoutingKey(type: String?, routingKey: String, exchange: String) {
    let fixture = CommandFixture(CommandFixture.good, type: type, routingKey: routingKey).changing { $0.message.exchange = exchange }
    #expect(fixture.create != nil)
  }

  @Test(arguments: [
    ("order.explode", "order.explode", "orders.commands", "order.explode"), ("order.create.v2", "order.create.v2", "orders.commands", "order.create.v2"),
    ("order.create.", "order.create.", "orders.commands", "order.create."), ("Order.Create", "Order.Create", "orders.commands", "Order.Create"),
    ("order.get", "order.get", "orders.commands", "order.get"), (nil, "", "orders.commands", nil), (nil, "orders.commands", "", nil),
    ("", "order.create", "", nil),
    ("a\u{0}b", "a\u{0}b", "orders.commands", nil),
  ])
  func anUnknownOrMissingTypeIsRefusedWhateverTheBodySays(type: String?, routingKey: String, exchange: String, told: String?) throws {
    let fixture = CommandFixture(#"{"customer_id":5}"#, type: type, routingKey: routingKey).changing { $0.message.exchange = exchange }
    let refusal = try #require(fixture.refusal)
    #expect(refusal.reason == .unknownType && refusal.type == told && refusal.error.contains("type"))
  }

  @Test func malformedComesBeforeUnknownType() {
    #expect(CommandFixture("{", type: "order.explode").refusal?.reason == .malformed)
  }

  @Test func theCorrelationIDIsTheMessageIDWhereAbsent() {
    let fixture = CommandFixture(CommandFixture.good)
    #expect(fixture.envelope?.correlationID == CommandFixture.id)
    #expect(fixture.changing { $0.message.correlationID = "" }.envelope?.correlationID == CommandFixture.id)
    #expect(fixture.changing { $0.message.correlationID = "x" }.envelope?.correlationID == "x")
  }

  @Test func aRefusedReplyToDoesNotStopTheCommand() {
    let fixture = CommandFixture(CommandFixture.good)
    #expect(fixture.envelope?.replyTo == "amq.rabbitmq.reply-to.g1h2")
    #expect(fixture.changing { $0.message.replyTo = "orders.replies" }.envelope.map { $0.replyTo == nil } == true)
    #expect(fixture.changing { $0.message.replyTo = nil }.envelope.map { $0.replyTo == nil } == true)
    #expect(CommandFixture("{").changing { $0.message.replyTo = "payroll" }.refusal?.replyTo == nil)
  }

  @Test(arguments: [
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true), ("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-ff", true),
    ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false), ("00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false),
    ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false), ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
    ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false), ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x", false),
    ("00-4bf92f3577b34da6a3ce929d0e0e473600f067aa0ba902b7-01-", false), ("", false), ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902bg-01", false),
  ])
  func onlyARightTraceparentIsCarriedOn(text: String, isRight: Bool) throws {
    let fixture = CommandFixture(CommandFixture.good).changing { $0.message.set("traceparent", .string(text)) }
    #expect(try #require(fixture.envelope).traceparent == (isRight ? text : nil))
  }

  @Test(arguments: [
    (#""order_id":"6f1c2d3e-1111-4222-8333-444455556666""#, "6f1c2d3e-1111-4222-8333-444455556666"), (#""order_id":"6f1c""#, nil), (#""order_id":6"#, nil),
    (#""other":1"#, nil),
  ])
  func aRefusalNamesTheOrderAndTheTrace(member: String, order: String?) throws {
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    let fixture = CommandFixture("{\(member)}", type: "order.update_status").changing {
      $0.message.set("traceparent", .string(trace))
      $0.message.correlationID = "c-1"
    }
    let refusal = try #require(fixture.refusal)
    #expect(refusal.reason == .invalid)
    #expect(
      CommandReference(refusal)
        == CommandReference(
          messageID: CommandFixture.id, correlationID: "c-1", tenant: .standard, order: order.flatMap { OrderID($0) }, traceparent: trace))
  }

  @Test func aDerivedOrderIDFollowsFromTenantAndMessageID() throws {
    // Python: uuid.uuid5(uuid.UUID("cd5a40a5-eecb-4ec5-a01d-c616b86f66f9"), "default/" + id)
    let create = try #require(CommandFixture(CommandFixture.good).create)
    #expect(create.order.description == "78ca76ee-f109-52fc-ae29-859914d02d07" && !create.choosesOrderID)
    #expect(CommandFixture(CommandFixture.good, id: "other").create?.order != create.order)
  }

  @Test func theFingerprintIsTheHashOfTheDataAsItCame() throws {
    // Python: hashlib.sha256(body).hexdigest()
    let envelope = try #require(CommandFixture(CommandFixture.good).envelope)
    #expect(envelope.data == Array(CommandFixture.good.utf8))
    #expect(
      envelope.fingerprint.bytes.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
        == "ee4c6a761a007be9db720d38baa5649accaffb5c34d566c38e1b42cf2384868d")
    #expect(CommandFixture(CommandFixture.good + " ").envelope?.fingerprint != envelope.fingerprint)
  }
}
