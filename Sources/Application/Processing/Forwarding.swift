import Domain

/// Makes the messages that go on to a retry queue or to the dead letters: the message as it came, with what happened to it.
package struct Forwarding: Sendable {
  package let prefix: String
  /// Names this worker in `x-worker`.
  package let worker: String
  package let seal: any JourneySeal
  package let bodyHash: @Sendable ([UInt8]) -> [UInt8]

  package init(prefix: String, worker: String, seal: any JourneySeal, bodyHash: @escaping @Sendable ([UInt8]) -> [UInt8]) {
    self.prefix = prefix
    self.worker = worker
    self.seal = seal
    self.bodyHash = bodyHash
  }

  var commandsQueue: String { "\(prefix).commands" }
  var eventsExchange: String { "\(prefix).events" }

  package func retry(_ message: Message, _ envelope: CommandEnvelope, rung: RetryRung, journey: Journey) -> Message {
    var next = carriedOn(message, type: envelope.command.type.rawValue)
    next.routingKey = "\(prefix).retry.\(rung.rawValue)"
    let sealed = sealed(next, id: envelope.identity.message.rawValue, envelope.principal, isTokenExpired: envelope.tokenExpired != nil, journey)
    next.headers.append(header(sealed, isToBeKept: false))
    return next
  }

  package func deadLetter(_ message: Message, _ refusal: Refusal, at now: Timestamp) -> Message {
    var journey = refusal.journey
    journey.attempt = max(journey.attempt, 1)
    journey.firstFailedAt = journey.firstFailedAt ?? now
    var next = carriedOn(message, type: refusal.type)
    next.routingKey = "\(prefix).dead-letter"
    next.headers.removeAll { Self.told.contains($0.name) }
    next.headers += [
      MessageHeader("x-reason", .string(refusal.reason.rawValue)),
      MessageHeader("x-error", .string(String(refusal.error.prefix(1_000)))),
      MessageHeader("x-attempt", .int32(Int32(clamping: journey.attempt))),
      MessageHeader("x-first-failed-at", .string(journey.firstFailedAt!.description)),
      MessageHeader("x-failed-at", .string(now.description)),
      MessageHeader("x-worker", .string(worker)),
    ]
    if refusal.principal != nil || journey.replay != nil {
      // An id that is none is no command's, and still the message's.
      let sealed = sealed(next, id: refusal.messageID ?? message.messageID, refusal.principal, isTokenExpired: refusal.isTokenExpired, journey)
      next.headers.append(header(sealed, isToBeKept: true))
    }
    return next
  }

  /// `id` is the command's, which a CloudEvent has in itself.
  private func sealed(_ message: Message, id: String?, _ principal: Principal?, isTokenExpired: Bool, _ journey: Journey) -> SealedJourney {
    SealedJourney(
      messageID: id, type: message.type, bodyHash: bodyHash(message.body), principal: principal, isTokenExpired: isTokenExpired, journey: journey)
  }

  private func header(_ sealed: SealedJourney, isToBeKept: Bool) -> MessageHeader {
    MessageHeader("x-order-principal", .string(seal.seal(sealed, isToBeKept: isToBeKept)))
  }

  /// Without the token, what the broker counted, and the old seal; with the exchange and routing key that it first came by.
  private func carriedOn(_ message: Message, type: String?) -> Message {
    var next = message
    next.exchange = ""
    next.persistent = true
    // AMQP takes no more; such a type is not one of ours.
    if let type, type.utf8.count <= 255 { next.type = type }
    next.headers.removeAll { Self.dropped($0.name) }
    if message.header("x-original-exchange") == nil || !message.exchange.isEmpty {
      next.headers.removeAll { $0.name == "x-original-exchange" || $0.name == "x-original-routing-key" }
      next.headers.append(MessageHeader("x-original-exchange", .string(message.exchange)))
      next.headers.append(MessageHeader("x-original-routing-key", .string(message.routingKey)))
    }
    return next
  }

  /// What a dead letter says of its failure.
  private static let told = ["x-reason", "x-error", "x-attempt", "x-first-failed-at", "x-failed-at", "x-worker"]

  /// Whether a header is of the worker's or the broker's making, and not the sender's.
  package static func isWorkers(_ name: String) -> Bool { dropped(name) || told.contains(name) || name.hasPrefix("x-original-") }

  /// `CC` and `BCC` would route the message on by the worker's own rights, to any queue.
  private static func dropped(_ name: String) -> Bool {
    switch name {
    case "CC", "BCC", "x-death", "x-delivery-count", "x-acquired-count", "x-order-principal": true
    default: name.hasPrefix("x-first-death-") || name.hasPrefix("x-last-death-") || name.lowercased() == "authorization"
    }
  }
}
