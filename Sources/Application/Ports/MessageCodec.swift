import Domain

package enum DecodedCommand: Sendable {
  case command(CommandEnvelope)
  case refused(Refusal)
}

/// Reads a command off a message, in the contract's order: transport, principal, type, body; the first that fails refuses.
package protocol CommandDecoder: Sendable {
  func decode(_ received: ReceivedMessage) -> DecodedCommand
  /// Who sent it first, by its headers alone; nil where nobody is verified to have.
  func sender(of message: Message) -> Principal?
}

/// What an event says beside the order.
package struct EventContext: Sendable {
  package let correlationID: String
  package let causationID: String
  package let traceparent: String?
  package let at: Timestamp
  package init(correlationID: String, causationID: String, traceparent: String?, at: Timestamp) {
    self.correlationID = correlationID
    self.causationID = causationID
    self.traceparent = traceparent
    self.at = at
  }
}

/// A CloudEvent ready for the outbox and the exchange.
package struct EncodedEvent: Sendable, Equatable {
  package let key: OutboxKey
  package let type: EventType
  package let body: [UInt8]
  package init(key: OutboxKey, type: EventType, body: [UInt8]) {
    self.key = key
    self.type = type
    self.body = body
  }
}

/// A row of the outbox: an order's events leave in the order of their positions.
package struct OutboxKey: Hashable, Comparable, Sendable {
  package let order: OrderKey
  /// The version that the event tells of; 0 for one that is no version.
  package let version: Int64
  /// The event's `id`.
  package let event: UUIDValue
  package init(order: OrderKey, version: Int64, event: UUIDValue) {
    self.order = order
    self.version = version
    self.event = event
  }
  package static func < (a: Self, b: Self) -> Bool {
    a.order != b.order ? a.order < b.order : a.version != b.version ? a.version < b.version : a.event < b.event
  }
}

/// A refused command, as its event tells it.
package struct RefusedCommand: Sendable {
  package let identity: CommandIdentity
  package let order: OrderKey
  /// In the form of its body, with its type, without its payment method.
  package let body: [UInt8]
  package init(identity: CommandIdentity, order: OrderKey, body: [UInt8]) {
    self.identity = identity
    self.order = order
    self.body = body
  }
}

/// Writes what goes out as JSON, in UTF-8 bytes.
package protocol MessageEncoder: Sendable {
  /// The order as events, replies and the cache show it.
  func order(_ order: Order) -> [UInt8]
  /// The event of a change; `order` is that order's JSON, made once for the event and the cache.
  func event(of change: Change, order: [UInt8], context: EventContext) -> EncodedEvent
  /// A command in the form of its body, with its type, without its payment method.
  func command(_ command: Command) -> [UInt8]
  /// `order.command_rejected`: the command, the error, and the order as it is, if there is one.
  func commandRejected(_ refused: RefusedCommand, _ rejection: Rejection, order: Order?, context: EventContext) -> EncodedEvent
  func reply(_ outcome: ReplyOutcome, messageID: String?) -> [UInt8]
  /// The id of the outbox row of a reply to this command.
  func replyID(_ identity: CommandIdentity) -> UUIDValue
}

/// Seals what travels with a retried or dead-lettered message in `x-order-principal`, and opens it again.
package protocol JourneySeal: Sendable {
  func seal(_ sealed: SealedJourney) -> String
  /// Nil for a header that is not ours, is out of date, or was made for another message.
  func open(_ header: String, messageID: String?, type: String?, bodyHash: [UInt8]) -> SealedJourney?
}

package struct SealedJourney: Sendable, Hashable {
  package let messageID: String?
  package let type: String?
  /// SHA-256 of the message's body.
  package let bodyHash: [UInt8]
  package let principal: Principal?
  package let journey: Journey
  package init(messageID: String?, type: String?, bodyHash: [UInt8], principal: Principal?, journey: Journey) {
    self.messageID = messageID
    self.type = type
    self.bodyHash = bodyHash
    self.principal = principal
    self.journey = journey
  }
}
