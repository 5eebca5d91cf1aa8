import Application
import Domain

/// A codec for tests that are not about JSON. A create's body is `order-id [pay] [confirm] product quantity [product quantity…]`, where `pay` gives it a
/// payment method; an update's is `order-id status [another]`, where `another` is its payment method.
package struct PlainCodec: CommandDecoder, MessageEncoder, JourneySeal, PaymentCallEncoder {
  package func sender(of message: Message) -> Principal? { .anonymous }
  package func keysLookedAt() async {}

  private let isTracing: Bool

  /// With `isTracing` events are spans of recorded traces.
  package init(isTracing: Bool = false) { self.isTracing = isTracing }

  package static func body(order: OrderID, _ lines: [(String, Int64)], pay: Bool = false, confirm: Bool = false) -> [UInt8] {
    Array("\(order) \(pay ? "pay " : "")\(confirm ? "confirm " : "")\(lines.map { "\($0.0) \($0.1)" }.joined(separator: " "))".utf8)
  }

  package func decode(_ received: ReceivedMessage) -> DecodedCommand {
    let message = received.message
    let words = String(decoding: message.body, as: UTF8.self).split(separator: " ").map(String.init)
    guard let id = message.messageID, let messageID = MessageID(id), let first = words.first, let order = OrderID(first), words.count >= 2 else {
      return .refused(
        Refusal(.malformed, "not a test command", messageID: message.messageID, replyTo: message.replyTo, traceparent: message.header("traceparent")?.text))
    }
    let tries = message.header("x-order-principal")?.text.flatMap { open($0, messageID: nil, type: nil, bodyHash: []) }?.journey ?? Journey()
    if words.count == 2 || words.last == "another", let status = OrderStatus(rawValue: words[1]) {
      return .command(
        CommandEnvelope(
          identity: CommandIdentity(tenant: .standard, message: messageID), principal: .anonymous,
          command: .updateStatus(UpdateStatus(order: order, status: status, paymentMethod: words.count == 2 ? nil : PaymentMethod("another"))),
          fingerprint: Fingerprint(message.body), data: message.body,
          correlationID: message.correlationID ?? id, replyTo: message.replyTo, traceparent: message.header("traceparent")?.text, journey: tries))
    }
    let usd = Currency("USD")!
    let flags = words.dropFirst().prefix { $0 == "pay" || $0 == "confirm" }
    let lines = stride(from: 1 + flags.count, to: words.count - 1, by: 2).map { i in
      OrderLine(product: ProductID(words[i])!, quantity: Quantity(Int64(words[i + 1])!)!, unitPrice: Money(minorUnits: 100, currency: usd))!
    }
    let create = CreateOrder(
      order: order, choosesOrderID: true, customer: CustomerID("customer")!, currency: usd, lines: lines,
      paymentMethod: flags.contains("pay") ? PaymentMethod("pm") : nil, confirm: flags.contains("confirm"), metadata: [])!
    return .command(
      CommandEnvelope(
        identity: CommandIdentity(tenant: .standard, message: messageID), principal: .anonymous, command: .create(create),
        fingerprint: Fingerprint(message.body), data: message.body, correlationID: message.correlationID ?? id, replyTo: message.replyTo,
        traceparent: message.header("traceparent")?.text, journey: tries))
  }

  package func order(_ order: Order) -> [UInt8] { Array("\(order.key.order) \(order.status.rawValue) \(order.version)".utf8) }

  package func event(of change: Change, order: [UInt8], context: EventContext) -> EncodedEvent {
    let key = change.order.key
    let id = UUIDValue(high: key.order.high, low: key.order.low ^ UInt64(change.order.version) << 32)
    return EncodedEvent(
      key: OutboxKey(order: key, version: change.order.version, event: id), type: change.event, body: order,
      trace: isTracing ? EventTrace(of: id, after: context.traceparent) : nil)
  }

  package func command(_ command: Command) -> [UInt8] { Array(command.type.rawValue.utf8) }

  package func replyID(_ identity: CommandIdentity) -> UUIDValue { Self.id(identity, low: 1) }

  package func call(for operation: PaymentOperation, of order: Order) -> PaymentCall {
    PaymentCall(
      key: "\(order.key.order)/\(operation.number)", target: operation.kind.rawValue,
      body: Array("\(operation.amount.minorUnits) \(operation.authorization?.rawValue ?? "")".utf8))
  }

  package func commandRejected(_ refused: RefusedCommand, _ rejection: Rejection, order: Order?, context: EventContext) -> EncodedEvent {
    EncodedEvent(
      key: OutboxKey(order: refused.order, version: 0, event: Self.rejectionID(refused.identity)), type: .commandRejected,
      body: Array(rejection.code.rawValue.utf8))
  }

  /// Of the event that tells of a refused command.
  package static func rejectionID(_ identity: CommandIdentity) -> UUIDValue { id(identity, low: 0) }

  /// The same in every process (FNV-1a).
  private static func id(_ identity: CommandIdentity, low: UInt64) -> UUIDValue {
    UUIDValue(high: identity.message.rawValue.utf8.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, low: low)
  }

  /// `outcome[:code]`.
  package func reply(_ outcome: ReplyOutcome, messageID: String?) -> [UInt8] {
    switch outcome {
    case .first(let result): Array((result.rejection.map { "rejected:\($0.code.rawValue)" } ?? "accepted").utf8)
    case .duplicate(let result): Array("duplicate:\(result.rejection == nil ? "accepted" : "rejected")".utf8)
    case .deadLettered(let reason, _, _): Array("dead_lettered:\(reason.rawValue)".utf8)
    }
  }

  /// `attempt/early tries/payment waits`, and of a replay `/letter/by`; what is left out is 0.
  package func seal(_ sealed: SealedJourney, isToBeKept: Bool) -> String {
    let journey = sealed.journey
    let replay = journey.replay.map { "/\($0.letter.id)/\($0.by)" } ?? ""
    return "\(journey.attempt)/\(journey.earlyTries)/\(journey.paymentWaits)\(replay)"
  }

  package func open(_ header: String, messageID: String?, type: String?, bodyHash: [UInt8]) -> SealedJourney? {
    let words = header.split(separator: "/").map(String.init)
    guard let attempt = words.first.flatMap({ Int($0) }) else { return nil }
    func number(_ index: Int) -> Int { words.count > index ? Int(words[index]) ?? 0 : 0 }
    var journey = Journey(attempt: attempt, earlyTries: number(1), paymentWaits: number(2))
    if words.count == 5, let id = UUIDValue(words[3]) { journey.replay = ReplayMark(letter: DeadLetterKey(tenant: .standard, id: id), by: words[4]) }
    return SealedJourney(messageID: nil, type: nil, bodyHash: [], principal: nil, journey: journey)
  }
}
