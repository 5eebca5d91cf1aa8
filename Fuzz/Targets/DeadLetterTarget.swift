import Application
import Domain

@testable import JSONAdapter

/// A message of the dead-letter queue, by whatever way it came there: what is kept of it can be stored, shown and replayed, and a replay that fails
/// comes back to its row.
enum DeadLetterTarget {
  private static let forwarding = Forwarding(prefix: "orders", worker: "w-1", seal: Fixed.seal) { Fingerprint(of: $0).bytes }

  static func run(_ input: [UInt8]) {
    let received = FuzzedMessage(input, exchange: "", type: "order.create").received
    check(received)
    // As a worker would have put it there.
    switch Fixed.decoder.decode(received) {
    case .refused(let refusal): check(passed(forwarding.deadLetter(received.message, refusal, at: Fixed.now), received))
    case .command(let envelope):
      let refusal = Refusal(
        .forbidden, "no", type: envelope.command.type.rawValue, messageID: envelope.identity.message.rawValue, principal: envelope.principal)
      let arrival = check(passed(forwarding.deadLetter(received.message, refusal, at: Fixed.now), received))
      expect(arrival.letter.messageID == envelope.identity.message.rawValue, "a dead letter has another id than its command")
      expect(arrival.letter.reason == .forbidden && arrival.letter.principal == envelope.principal, "a dead letter has lost why and whose it is")
    case .unknownKey, .keysUnavailable: break
    }
  }

  private static func passed(_ message: Message, _ received: ReceivedMessage) -> ReceivedMessage {
    ReceivedMessage(
      tag: received.tag, redelivered: false, message: message, headersExceedLimits: received.headersExceedLimits, hasInvalidText: received.hasInvalidText)
  }

  @discardableResult private static func check(_ received: ReceivedMessage) -> DeadLetterArrival {
    let arrival = Fixed.letters.read(received, at: Fixed.now)
    expect(arrival == Fixed.letters.read(received, at: Fixed.now), "the second reading differs")
    let letter = arrival.letter
    for text in [letter.messageID, letter.type, letter.error, letter.principal?.subject] + letter.history.map(\.what) + letter.history.map(\.actor) {
      expect(text?.utf8.contains(0) != true, "a text cannot be stored")
    }
    expect(letter.body.count <= 262_144 && letter.attempts >= 1 && letter.firstFailedAt <= letter.failedAt, "a row is out of its limits")
    for json in [letter.headers, letter.properties] {
      expect(Fixed.isObject(json), "what is kept beside the body is no JSON")
      expect((try? JSONParser.parse(json))?.hasNullCharacter == false, "what is kept beside the body cannot be stored")
    }
    let headers = HeaderJSON.read(letter.headers)
    expect(HeaderJSON.write(headers) == HeaderJSON.write(HeaderJSON.read(HeaderJSON.write(headers))), "headers change each time they are kept")
    expect(!headers.contains { $0.name.lowercased() == "authorization" || $0.name == "x-order-principal" }, "a secret was kept")
    show(letter)
    replay(letter, received)
    return arrival
  }

  private static func show(_ letter: DeadLetter) {
    expect(Fixed.isObject(DeadLetterJSON.write(letter, reveals: true)), "a letter is written as no JSON")
    expect(Fixed.isObject(DeadLetterJSON.write(letter, reveals: false)), "a masked letter is written as no JSON")
    expect(DeadLetter.pattern(of: letter.error).count <= 200, "a pattern is too long")
    _ = DeadLetterJSON.headers(letter)
    let readable = DeadLetterJSON.readableBody(letter, reveals: true)
    guard let body = try? JSONParser.parse(letter.body) else { return }
    let again = expected(try? JSONParser.parse(Array((readable ?? "").utf8)), "a body that is JSON is shown as none")
    expect(JSONValue(again, again.root).bytes == JSONValue(body, body.root).bytes, "a body is shown as another")
    let masked = expected(try? JSONParser.parse(PaymentMethodMask.mask(letter.body)), "a body that is JSON is masked into none")
    expect(isMasked(masked, masked.root), "a payment method is shown")
  }

  private static func isMasked(_ document: JSONDocument, _ node: JSONNode) -> Bool {
    var holds = true
    document.forEachMember(of: node) { name, value in
      if ["payment_method", "data_base64"].contains(document.text(name)) {
        holds = holds && (value.kind == .null || document.text(value) == "(masked)")
      } else {
        holds = holds && isMasked(document, value)
      }
      return holds
    }
    document.forEachElement(of: node) { _, element in
      holds = holds && isMasked(document, element)
      return holds
    }
    return holds
  }

  private static func replay(_ letter: DeadLetter, _ received: ReceivedMessage) {
    guard letter.hasWholeBody else { return }
    let sender = Principal(subject: "ops", roles: [.operator], tenant: letter.key.tenant)
    let replay = Fixed.letters.replay(letter, body: letter.body, under: sender, mark: ReplayMark(letter: letter.key, by: "ops"))
    let message = replay.message
    expect(!message.headers.contains { $0.name == "CC" || $0.name == "BCC" || $0.name == "x-death" }, "a replay would be routed on by its sender")
    expect(message.exchange == Fixed.commands || message.routingKey == Fixed.commands, "a replay goes elsewhere")
    let next = ReceivedMessage(tag: received.tag, redelivered: false, message: message)
    switch Fixed.decoder.decode(next) {
    case .command(let envelope):
      expect(envelope.journey.replay?.letter == letter.key && envelope.principal == sender, "a replay does not know its row")
      expect(replay.mark?.fingerprint == envelope.fingerprint, "a replay's claim is another than was foretold")
    case .refused(let refusal):
      expect(refusal.reason != .unauthenticated, "a replay is not believed")
      let back = Fixed.letters.read(passed(forwarding.deadLetter(message, refusal, at: Fixed.now), next), at: Fixed.now)
      expect(back.letter.key == letter.key, "a replay that failed comes back to another row")
    case .unknownKey, .keysUnavailable: break
    }
  }
}
