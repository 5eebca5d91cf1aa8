import Application
import Domain
import Foundation
import JSONAdapter
import Testing

@Suite struct DeadLetterCodecTests {
  static let now = Timestamp(microseconds: 1_790_000_000_123_456)
  static let codec = JSONDeadLetterCodec(commandsExchange: "orders.commands", seal: UnsignedJourneySeal(), authenticator: OpenAuthenticator())
  private static let forwarding = Forwarding(
    prefix: "orders", worker: "w:1", seal: UnsignedJourneySeal(), bodyHash: { Fingerprint(of: $0).bytes })

  /// As a worker dead-letters it.
  static func deadLettered(_ fixture: CommandFixture, after seconds: Int = 0) throws -> Message {
    let refusal = try #require(fixture.refusal)
    return forwarding.deadLetter(fixture.message, refusal, at: now + .seconds(seconds))
  }

  static func read(_ message: Message, at: Timestamp = now) -> DeadLetterArrival {
    codec.read(ReceivedMessage(tag: DeliveryTag(generation: 1, number: 1), redelivered: false, message: message), at: at)
  }

  private static let invalid = CommandFixture(#"{"customer_id":5}"#).changing {
    $0.message.headers = [
      MessageHeader("authorization", .string("Bearer secret")), MessageHeader("Authorization", .string("Bearer secret")),
      MessageHeader("mine", .string("kept")),
    ]
    $0.message.correlationID = "c-1"
  }

  @Test func whatAWorkerDeadLetteredIsReadWhole() throws {
    let arrival = Self.read(try Self.deadLettered(Self.invalid))
    let letter = arrival.letter
    #expect(arrival.isDated && letter.reason == .invalid && letter.messageID == CommandFixture.id && letter.type == "order.create")
    #expect(letter.principal == .anonymous && letter.key.tenant == .standard && letter.command == .create && letter.attempts == 1)
    #expect(letter.failedAt == Self.now && letter.firstFailedAt == Self.now && letter.body == Self.invalid.message.body)
    #expect(letter.order == NameUUID.order(CommandIdentity(tenant: .standard, message: MessageID(CommandFixture.id)!)))
    #expect(letter.history.map(\.actor) == ["w:1"] && !letter.error.isEmpty)
    let headers = String(decoding: letter.headers, as: UTF8.self)
    #expect(headers.contains(#""mine":"kept""#) && !headers.contains("secret") && !headers.contains("x-order-principal"))
    let properties = String(decoding: letter.properties, as: UTF8.self)
    #expect(properties.contains(#""exchange":"orders.commands","routing_key":"order.create""#) && properties.contains(#""correlation_id":"c-1""#))
  }

  @Test func theIdFollowsFromMessageBodyAndSender() throws {
    let first = Self.read(try Self.deadLettered(Self.invalid)).letter.key
    #expect(Self.read(try Self.deadLettered(Self.invalid, after: 60)).letter.key == first)
    #expect(Self.read(try Self.deadLettered(CommandFixture(#"{"customer_id":6}"#))).letter.key != first)
    // uuid5(3f5f020c-…, id + "\n" + sha256 + "\n"): nobody is verified of what is malformed.
    let malformed = Self.read(try Self.deadLettered(CommandFixture("{", id: "m-1"))).letter
    #expect(malformed.key.id.description == "aa46f285-f865-506a-aaca-cc15de3bd819" && malformed.principal == nil && malformed.mark == nil)
  }

  @Test func aReplayOfWhatHasAWrongIdReturnsToItsRow() throws {
    let wrong = CommandFixture(#"{"customer_id":5}"#, id: String(repeating: "i", count: 200))
    let letter = Self.read(try Self.deadLettered(wrong)).letter
    #expect(letter.reason == .malformed)
    let replay = Self.codec.replay(letter, body: letter.body, under: .anonymous, mark: ReplayMark(letter: letter.key, by: "ops"))
    let again = CommandFixture("").changing { $0.message = replay.message }
    #expect(Self.read(try Self.deadLettered(again)).letter.key == letter.key)
  }

  @Test func whatRabbitMQDeadLetteredIsTheBrokersWhateverItsHeadersSay() {
    var message = CommandFixture.create(#""metadata":{}"#).message
    message.exchange = ""
    message.routingKey = "orders.dead-letter"
    message.type = nil
    message.headers = [
      MessageHeader("authorization", .string("Bearer secret")), MessageHeader("x-reason", .string("malformed")),
      MessageHeader(
        "x-death",
        .array([
          .table([
            MessageHeader("count", .int64(1)), MessageHeader("reason", .string("delivery_limit")), MessageHeader("queue", .string("orders.commands")),
            MessageHeader("exchange", .string("orders.commands")), MessageHeader("routing-keys", .array([.string("order.create")])),
            MessageHeader("time", .timestamp(1_790_000_000)),
          ])
        ])),
    ]
    let arrival = Self.read(message)
    #expect(arrival.letter.reason == .deliveryLimit && arrival.letter.type == "order.create" && arrival.letter.principal == .anonymous)
    #expect(arrival.isDated && arrival.letter.failedAt == Timestamp(microseconds: 1_790_000_000_000_000))
    #expect(arrival.letter.mark == ClaimMark(subject: "anonymous", fingerprint: Fingerprint(of: message.body)))
    #expect(!String(decoding: arrival.letter.headers, as: UTF8.self).contains("secret"))
  }

  @Test func whatCarriesNoReasonIsKeptUntilSomebodyLooks() {
    var message = CommandFixture(CommandFixture.good).message
    message.exchange = ""
    let arrival = Self.read(message)
    #expect(arrival.letter.reason == .deliveryLimit && !arrival.isDated && arrival.letter.failedAt == Self.now)
  }

  @Test func theBodyOfWhatMayHaveKilledWorkersIsNotRead() throws {
    var message = CommandFixture(#"{"order_id":"6f1c2d3e-1111-4222-8333-444455556666"}"#, type: "order.update_status").message
    message.headers = [MessageHeader("x-reason", .string("delivery_limit")), MessageHeader("x-error", .string("2 workers died"))]
    let letter = Self.read(message).letter
    #expect(letter.order == nil && letter.command == .updateStatus && letter.messageID == CommandFixture.id)
  }

  @Test func aReplayIsSealedForItsRowAndReturnsThere() throws {
    let letter = Self.read(try Self.deadLettered(Self.invalid)).letter
    let mark = ReplayMark(letter: letter.key, by: "cli:olga")
    let replay = Self.codec.replay(letter, body: Array(#"{"customer_id":7}"#.utf8), under: .anonymous, mark: mark)
    #expect(replay.message.exchange == "orders.commands" && replay.message.routingKey == "order.create" && replay.message.messageID == letter.messageID)
    #expect(replay.message.headers.map(\.name) == ["mine", "x-order-principal"] && replay.message.correlationID == "c-1")
    let again = CommandFixture("").changing { $0.message = replay.message }
    #expect(again.refusal?.reason == .invalid && again.refusal?.journey.replay == mark)
    let returned = Self.read(try Self.deadLettered(again, after: 5)).letter
    #expect(returned.key == letter.key && returned.history[0].what.hasPrefix("failed again"))
  }

  @Test func aReplayThatIsStillMalformedReturnsToItsRowToo() throws {
    let letter = Self.read(try Self.deadLettered(CommandFixture("{", id: nil))).letter
    #expect(letter.commandID == "dl-\(letter.key.id)")
    let olga = Principal(subject: "cli:olga", roles: [.operator], tenant: .standard)
    let replay = Self.codec.replay(letter, body: Array("{{".utf8), under: olga, mark: ReplayMark(letter: letter.key, by: "cli:olga"))
    let again = CommandFixture("").changing { $0.message = replay.message }
    #expect(again.refusal?.reason == .malformed)
    #expect(Self.read(try Self.deadLettered(again, after: 5)).letter.key == letter.key)
  }

  @Test func ofALargeBodySizeHashAndBeginningAreKept() throws {
    let body = Array(#"{"a":""#.utf8) + [UInt8](repeating: 0x61, count: 300_000)
    let letter = Self.read(try Self.deadLettered(CommandFixture(bytes: body))).letter
    #expect(letter.body == Array(body.prefix(4_096)) && letter.bodySize == body.count && letter.bodyHash == Fingerprint(of: body))
    #expect(!letter.hasWholeBody && letter.reason == .malformed)
  }

  @Test func aCloudEventGoesByItsOwnIdAndItsDataIsWhatIsClaimed() throws {
    let data = #"{"order_id":"6f1c2d3e-1111-4222-8333-444455556666","status":"shipping"}"#
    let fixture = CommandFixture(
      #"{"specversion":"1.0","id":"e-1","source":"/s","type":"order.update_status","data":\#(data)}"#, type: "order.update_status", id: nil
    ).changing { $0.message.contentType = "application/cloudevents+json" }
    let letter = Self.read(try Self.deadLettered(fixture)).letter
    #expect(letter.messageID == "e-1" && letter.command == .updateStatus && letter.order?.description == "6f1c2d3e-1111-4222-8333-444455556666")
    #expect(letter.mark?.fingerprint == Fingerprint(of: Array(data.utf8)))
  }

  @Test func paymentMethodsAreMaskedInWhateverShape() throws {
    for body in [
      #"{"payment_method":"pm_secret","x":[{"payment\u005fmethod":"pm_secret"}]}"#, #"{"payment_method" : "pm_secret", "items""#,
      #"payment_method='pm_secret'"#, #"{"data_base64":"pm_secret"}"#,
    ] {
      var letter = Self.read(try Self.deadLettered(Self.invalid)).letter
      letter.body = Array(body.utf8)
      let shown = String(decoding: DeadLetterJSON.write(letter, reveals: false), as: UTF8.self)
      #expect(!shown.contains("pm_secret") && shown.contains("(masked)"), "\(body)")
      #expect(String(decoding: DeadLetterJSON.write(letter, reveals: true), as: UTF8.self).contains("pm_secret"))
      let object = try #require(try JSONSerialization.jsonObject(with: Data(shown.utf8)) as? [String: Any])
      #expect((object["body"] as? String)?.isEmpty == false && object["principal"] is [String: Any])
    }
  }
}
