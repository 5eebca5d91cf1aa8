import Domain

package enum DecodedCommand: Sendable {
  case command(CommandEnvelope)
  case refused(Refusal)
  /// Refused so, unless the next look at the keys brings the one that its token was signed with.
  case unknownKey(Refusal)
  /// Nobody's token can be verified now, for this reason.
  case keysUnavailable(String)
}

/// Reads a command off a message, in the contract's order: transport, principal, type, body; the first that fails refuses.
package protocol CommandDecoder: Sendable {
  func decode(_ received: ReceivedMessage) -> DecodedCommand
  /// Who sent it first, by its headers alone; nil where nobody is verified to have.
  func sender(of message: Message) -> Principal?
  /// Returns after the next permitted look at the keys of the senders' tokens, whatever that brought; at once where the task is cancelled.
  func keysLookedAt() async
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
  /// Nil where its trace is not recorded, or not known any more: then only `body` tells of it.
  package let trace: EventTrace?
  package init(key: OutboxKey, type: EventType, body: [UInt8], trace: EventTrace? = nil) {
    self.key = key
    self.type = type
    self.body = body
    self.trace = trace
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
  /// What is to be kept, as dead letters are, is good for as long as the key is; all else only for some weeks.
  func seal(_ sealed: SealedJourney, isToBeKept: Bool) -> String
  /// Nil for a header that is not ours, is out of date, or was made for another message.
  func open(_ header: String, messageID: String?, type: String?, bodyHash: [UInt8]) -> SealedJourney?
}

package struct SealedJourney: Sendable, Hashable {
  package let messageID: String?
  package let type: String?
  /// SHA-256 of the message's body.
  package let bodyHash: [UInt8]
  package let principal: Principal?
  /// The principal's token was too old when a worker first saw it: it tells who sent the message, and gives no rights.
  package let isTokenExpired: Bool
  package let journey: Journey
  package init(messageID: String?, type: String?, bodyHash: [UInt8], principal: Principal?, isTokenExpired: Bool = false, journey: Journey) {
    self.messageID = messageID
    self.type = type
    self.bodyHash = bodyHash
    self.principal = principal
    self.isTokenExpired = isTokenExpired
    self.journey = journey
  }
}
