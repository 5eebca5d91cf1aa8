import Application
import Domain
import Testing

/// CloudEvents 1.0 as commands, in structured and in binary mode.
@Suite struct CloudEventCommandTests {
  private static let attributes = #""specversion":"1.0","id":"ce-1","source":"/shop","type":"order.create""#

  private static func structured(_ body: String) -> CommandFixture {
    CommandFixture(body, type: nil, id: nil).changing { $0.message.contentType = "application/cloudevents+json; charset=UTF-8" }
  }

  private static func binary(_ prefix: String, _ change: (inout [String: HeaderValue]) -> Void = { _ in }) -> CommandFixture {
    var attributes: [String: HeaderValue] = [
      "specversion": .string("1.0"), "id": .string("ce-1"), "source": .string("/shop"), "type": .string("order.create"),
    ]
    change(&attributes)
    return CommandFixture(CommandFixture.good, type: nil, id: nil).changing {
      for (name, value) in attributes { $0.message.set(prefix + name, value) }
    }
  }

  private func isSame(_ envelope: CommandEnvelope?, as id: String = "ce-1") throws -> Bool {
    let envelope = try #require(envelope)
    return envelope.identity.message.rawValue == id && envelope.correlationID == id && envelope.data == Array(CommandFixture.good.utf8)
      && envelope.fingerprint == CommandFixture(CommandFixture.good).envelope?.fingerprint
  }

  @Test func aStructuredEventIsTheSameCommandAsThePlainOne() throws {
    #expect(try isSame(Self.structured("{\(Self.attributes), \"data\" : \(CommandFixture.good) , \"extension\":1}").envelope))
  }

  @Test func itsDataMayBeBase64() throws {
    let encoded = "eyJjdXN0b21lcl9pZCI6ImMiLCJpdGVtcyI6W3sicHJvZHVjdF9pZCI6InAiLCJxdWFudGl0eSI6MiwidW5pdF9wcmljZSI6MjkuOTl9XX0="
    #expect(try isSame(Self.structured("{\(Self.attributes),\"datacontenttype\":\"application/json\",\"data_base64\":\"\(encoded)\"}").envelope))
  }

  @Test func theDerivedOrderIDIsThatOfTheEventsID() throws {
    let event = try #require(Self.structured("{\(Self.attributes),\"data\":\(CommandFixture.good)}").create)
    #expect(event.order == CommandFixture(CommandFixture.good, id: "ce-1").create?.order)
  }

  @Test func aStructuredEventOnTheDefaultExchangeGoesByItsType() {
    let fixture = Self.structured("{\(Self.attributes),\"data\":\(CommandFixture.good)}").changing {
      $0.message.exchange = ""
      $0.message.routingKey = "orders.commands"
    }
    #expect(fixture.create != nil)
  }

  @Test(arguments: [
    (#""id":"ce-1","source":"/shop","type":"order.create","data":{}"#, "specversion is missing"),
    (#"\#(attributes),"specversion":"0.3","data":{}"#, "specversion must"),
    (#"\#(attributes),"specversion":1.0,"data":{}"#, "specversion must be a string"), (#"\#(attributes),"id":null,"data":{}"#, "id is missing"),
    (#"\#(attributes),"id":"","data":{}"#, "id is empty"), (#"\#(attributes),"id":7,"data":{}"#, "id must be a string"),
    (#"\#(attributes),"id":"a\u0000","data":{}"#, "id holds a control"),
    ("\(attributes),\"id\":\"\(String(repeating: "x", count: 129))\",\"data\":{}", "id has more"),
    (#"\#(attributes),"source":"","data":{}"#, "source is empty"), (#"\#(attributes),"source":null,"data":{}"#, "source is missing"),
    (#"\#(attributes),"type":null,"data":{}"#, "type is missing"), (#"\#(attributes),"type":"order.update_status","data":{}"#, "routing key differ"),
    (attributes, "has no data"), (#"\#(attributes),"data":null"#, "has no data"), (#"\#(attributes),"data":"{}""#, "data must be a JSON object"),
    (#"\#(attributes),"data":[]"#, "data must be a JSON object"), (#"\#(attributes),"data":{},"data_base64":"e30=""#, "both"),
    (#"\#(attributes),"data_base64":"e30""#, "not Base64"), (#"\#(attributes),"data_base64":"e3 0""#, "not Base64"),
    (#"\#(attributes),"data_base64":7"#, "not Base64"),
    (#"\#(attributes),"data_base64":"e31=""#, "not Base64"), (#"\#(attributes),"data_base64":"e3s=""#, "data_base64 is not JSON"),
    (#"\#(attributes),"data_base64":"W10=""#, "must be a JSON object"), (#"\#(attributes),"datacontenttype":"text/xml","data":{}"#, "datacontenttype"),
    (#"\#(attributes),"datacontenttype":5,"data":{}"#, "datacontenttype"),
  ])
  func aWrongStructuredEventIsMalformed(members: String, sentence: String) throws {
    let refusal = try #require(Self.structured("{\(members)}").refusal)
    #expect(refusal.reason == .malformed && refusal.error.contains(sentence), "\(refusal.error)")
  }

  @Test func aStructuredEventThatIsNoObjectIsMalformed() {
    #expect(Self.structured("[]").refusal?.reason == .malformed)
  }

  @Test func aRefusedEventIsAnsweredUnderItsOwnID() throws {
    let refusal = try #require(Self.structured("{\(Self.attributes),\"data\":{\"customer_id\":5}}").refusal)
    #expect(refusal.reason == .invalid && refusal.messageID == "ce-1" && refusal.correlationID == "ce-1" && refusal.type == "order.create")
    #expect(refusal.faults.map(\.path) == ["customer_id", "items"], "paths begin in data")
  }

  @Test func uPlus0000InAnAttributeIsInvalidToo() throws {
    let refusal = try #require(Self.structured("{\(Self.attributes),\"note\":\"\\u0000\",\"data\":\(CommandFixture.good)}").refusal)
    #expect(refusal.reason == .invalid && refusal.faults.map(\.path) == ["note"])
  }

  @Test(arguments: ["ce-", "cloudEvents_", "cloudEvents:"])
  func aBinaryEventIsTheSameCommandAsThePlainOne(prefix: String) throws {
    #expect(try isSame(Self.binary(prefix).envelope))
    #expect(try isSame(Self.binary(prefix) { $0["time"] = .timestamp(1) }.envelope), "attributes that do not matter may be of any type")
  }

  @Test(arguments: ["specversion", "id", "source", "type"], [nil, HeaderValue.string(""), .int32(1), .longBytes([0xFF]), .void])
  func aBinaryEventNeedsItsAttributesAsText(name: String, value: HeaderValue?) throws {
    let refusal = try #require(Self.binary("cloudEvents:") { $0[name] = value }.refusal)
    #expect(refusal.reason == .malformed && refusal.error.contains(name), "\(refusal.error)")
  }

  @Test func aBinaryEventOfAnotherVersionIsMalformed() {
    #expect(Self.binary("ce-") { $0["specversion"] = .string("1.1") }.refusal?.reason == .malformed)
  }

  @Test func attributesGivenTwiceMustAgree() {
    #expect(Self.binary("ce-").changing { $0.message.set("cloudEvents:id", .string("ce-1")) }.envelope != nil)
    #expect(Self.binary("ce-").changing { $0.message.set("cloudEvents:id", .string("ce-2")) }.refusal?.reason == .malformed)
  }

  @Test func headersThatAreNoAttributesLeaveTheMessagePlain() {
    #expect(CommandFixture(CommandFixture.good).changing { $0.message.set("ce-extra", .int32(1)) }.envelope != nil)
    #expect(CommandFixture(CommandFixture.good).changing { $0.message.set("certainly", .string("x")) }.envelope != nil)
  }

  @Test(arguments: [structured("{\(attributes),\"data\":\(CommandFixture.good)}"), binary("ce-")])
  fileprivate func idAndTypeMustBeThoseOfAMQPWhereItHasThem(fixture: CommandFixture) throws {
    #expect(try isSame(fixture.changing { $0.message.messageID = "ce-1" }.envelope))
    #expect(fixture.changing { $0.message.messageID = "ce-2" }.refusal?.error.contains("message_id differ") == true)
    #expect(fixture.changing { $0.message.type = "order.create.v1" }.envelope != nil)
    let otherType = fixture.changing {
      $0.message.type = "order.update_status"
      $0.message.exchange = ""
    }
    #expect(otherType.refusal?.error.contains("AMQP type differ") == true)
    #expect(fixture.changing { $0.message.routingKey = "order.update_status" }.refusal?.error.contains("routing key differ") == true)
  }

  @Test func aTraceparentAttributeServesWhereTheHeaderIsAbsent() {
    let first = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    let second = "00-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbbbbb-00"
    let structured = Self.structured("{\(Self.attributes),\"traceparent\":\"\(first)\",\"data\":\(CommandFixture.good)}")
    #expect(structured.envelope?.traceparent == first)
    #expect(structured.changing { $0.message.set("traceparent", .string(second)) }.envelope?.traceparent == second)
    #expect(Self.binary("ce-") { $0["traceparent"] = .string(first) }.envelope?.traceparent == first)
  }
}
