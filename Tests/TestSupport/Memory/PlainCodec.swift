import Application
import Domain

/// A codec for tests that are not about JSON. A create's body is `order-id product quantity [product quantity…]`, an update's `order-id status`.
package struct PlainCodec: CommandDecoder, MessageEncoder, JourneySeal {
  package init() {}

  package static func body(order: OrderID, _ lines: [(String, Int64)]) -> [UInt8] {
    Array("\(order) \(lines.map { "\($0.0) \($0.1)" }.joined(separator: " "))".utf8)
  }

  package func decode(_ received: ReceivedMessage) -> DecodedCommand {
    let message = received.message
    let words = String(decoding: message.body, as: UTF8.self).split(separator: " ").map(String.init)
    guard let id = message.messageID, let messageID = MessageID(id), let first = words.first, let order = OrderID(first), words.count >= 2 else {
      return .refused(Refusal(.malformed, "not a test command", messageID: message.messageID, replyTo: message.replyTo))
    }
    let tries = message.header("x-order-principal")?.text.flatMap { open($0, messageID: nil, type: nil, bodyHash: []) }?.journey ?? Journey()
    if words.count == 2, let status = OrderStatus(rawValue: words[1]) {
      return .command(
        CommandEnvelope(
          identity: CommandIdentity(tenant: .standard, message: messageID), principal: .anonymous,
          command: .updateStatus(UpdateStatus(order: order, status: status)), fingerprint: Fingerprint(message.body), data: message.body,
          correlationID: message.correlationID ?? id, replyTo: message.replyTo, traceparent: nil, journey: tries))
    }
    let usd = Currency("USD")!
    let lines = stride(from: 1, to: words.count - 1, by: 2).map { i in
      OrderLine(product: ProductID(words[i])!, quantity: Quantity(Int64(words[i + 1])!)!, unitPrice: Money(minorUnits: 100, currency: usd))!
    }
    let create = CreateOrder(
      order: order, choosesOrderID: true, customer: CustomerID("customer")!, currency: usd, lines: lines, paymentMethod: nil, confirm: false, metadata: [])!
    return .command(
      CommandEnvelope(
        identity: CommandIdentity(tenant: .standard, message: messageID), principal: .anonymous, command: .create(create),
        fingerprint: Fingerprint(message.body), data: message.body, correlationID: message.correlationID ?? id, replyTo: message.replyTo,
        traceparent: nil, journey: tries))
  }

  package func order(_ order: Order) -> [UInt8] { Array("\(order.key.order) \(order.status.rawValue) \(order.version)".utf8) }

  package func event(of change: Change, order: [UInt8], context: EventContext) -> EncodedEvent {
    let key = change.order.key
    let id = UUIDValue(high: key.order.high, low: key.order.low ^ UInt64(change.order.version))
    return EncodedEvent(key: OutboxKey(order: key, version: change.order.version, event: id), type: change.event, body: order)
  }

  package func commandRejected(_ envelope: CommandEnvelope, _ rejection: Rejection, order: Order?, context: EventContext) -> EncodedEvent {
    let id = UUIDValue(high: UInt64(truncatingIfNeeded: envelope.identity.hashValue), low: 0)
    return EncodedEvent(key: OutboxKey(order: envelope.orderKey, version: 0, event: id), type: .commandRejected, body: Array(rejection.code.rawValue.utf8))
  }

  /// `outcome[:code]`.
  package func reply(_ outcome: ReplyOutcome, messageID: String?) -> [UInt8] {
    switch outcome {
    case .first(let result): Array((result.rejection.map { "rejected:\($0.code.rawValue)" } ?? "accepted").utf8)
    case .duplicate(let result): Array("duplicate:\(result.rejection == nil ? "accepted" : "rejected")".utf8)
    case .deadLettered(let reason, _, _): Array("dead_lettered:\(reason.rawValue)".utf8)
    }
  }

  /// `attempt` or `attempt/early tries`.
  package func seal(_ sealed: SealedJourney) -> String {
    let journey = sealed.journey
    return journey.earlyTries == 0 ? "\(journey.attempt)" : "\(journey.attempt)/\(journey.earlyTries)"
  }

  package func open(_ header: String, messageID: String?, type: String?, bodyHash: [UInt8]) -> SealedJourney? {
    let numbers = header.split(separator: "/").compactMap { Int($0) }
    guard let attempt = numbers.first else { return nil }
    let journey = Journey(attempt: attempt, earlyTries: numbers.count > 1 ? numbers[1] : 0)
    return SealedJourney(messageID: nil, type: nil, bodyHash: [], principal: nil, journey: journey)
  }
}
