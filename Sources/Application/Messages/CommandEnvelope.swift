import Domain

/// A command's identity for ever: whatever comes under it again is the same command or an `id_conflict`.
package struct CommandIdentity: Hashable, Comparable, Sendable {
  package let tenant: TenantID
  package let message: MessageID
  package init(tenant: TenantID, message: MessageID) {
    self.tenant = tenant
    self.message = message
  }
  package static func < (a: Self, b: Self) -> Bool { a.message != b.message ? a.message < b.message : a.tenant < b.tenant }
  package func hash(into hasher: inout Hasher) { hasher.combine(message) }
}

/// SHA-256 of the bytes of a command's data.
package struct Fingerprint: Hashable, Sendable {
  package let bytes: [UInt8]
  package init(_ bytes: [UInt8]) { self.bytes = bytes }

  /// In digits of lower case.
  package var hexadecimal: String {
    let digits = Array("0123456789abcdef".utf8)
    return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
  }
}

/// Which dead letter a message is a replay of, and who asked for it.
package struct ReplayMark: Hashable, Sendable {
  package let letter: DeadLetterKey
  package let by: String

  package init(letter: DeadLetterKey, by: String) {
    self.letter = letter
    self.by = by
  }
}

/// What the worker believes of a message's own past. It travels in the `x-order-principal` header, sealed.
package struct Journey: Hashable, Sendable {
  /// Failed tries so far that count: those in place and those up the ladder.
  package var attempt: Int
  /// How often the command came before its order, or its order's expected version.
  package var earlyTries: Int
  /// How often the command waited for an open payment of its order.
  package var paymentWaits: Int
  package var firstFailedAt: Timestamp?
  /// Of a replayed dead letter: a fault of it is tried again in place and not up the ladder, and it returns to its row.
  package var replay: ReplayMark?
  package init(
    attempt: Int = 0, earlyTries: Int = 0, paymentWaits: Int = 0, firstFailedAt: Timestamp? = nil, replay: ReplayMark? = nil
  ) {
    self.attempt = attempt
    self.earlyTries = earlyTries
    self.paymentWaits = paymentWaits
    self.firstFailedAt = firstFailedAt
    self.replay = replay
  }
}

/// A command that may be decided: its transport, principal, type and body have been found good. A class, since it goes through many hands.
package final class CommandEnvelope: Sendable {
  package let identity: CommandIdentity
  package let principal: Principal
  /// Why the sender's token is no longer good: the command may only be answered as what was done before. Nil for a good one.
  package let tokenExpired: String?
  package let command: Command
  package let fingerprint: Fingerprint
  /// The JSON text of the command's data, as it came.
  package let data: [UInt8]
  package let correlationID: String
  /// Where the outcome is to go; nil where none was asked for or the address is not allowed.
  package let replyTo: String?
  /// W3C `traceparent`, checked: the sender's, or where the trace is recorded that of `span`.
  package let traceparent: String?
  package let journey: Journey
  /// Nil where the command's trace is not recorded.
  package let span: CommandSpan?

  package init(
    identity: CommandIdentity, principal: Principal, tokenExpired: String? = nil, command: Command, fingerprint: Fingerprint, data: [UInt8],
    correlationID: String, replyTo: String?, traceparent: String?, journey: Journey, span: CommandSpan? = nil
  ) {
    self.identity = identity
    self.principal = principal
    self.tokenExpired = tokenExpired
    self.command = command
    self.fingerprint = fingerprint
    self.data = data
    self.correlationID = correlationID
    self.replyTo = replyTo
    self.traceparent = traceparent
    self.journey = journey
    self.span = span
  }

  package var orderKey: OrderKey { OrderKey(tenant: identity.tenant, order: command.order) }
}

package enum DeadLetterReason: String, Sendable, CaseIterable {
  case malformed, invalid, unauthenticated, forbidden
  case unknownType = "unknown_type"
  case idConflict = "id_conflict"
  case retriesExhausted = "retries_exhausted"
  case deliveryLimit = "delivery_limit"
}

/// Why a message cannot be done as it stands, with what is known of it: it goes to the dead letters.
package struct Refusal: Sendable {
  package let reason: DeadLetterReason
  /// A sentence that names the field or property.
  package let error: String
  package let faults: [Fault]
  /// The command type that the message names, where it names one.
  package let type: String?
  package let messageID: String?
  package let correlationID: String?
  package let replyTo: String?
  /// The order and the trace that the message names, where they can be read.
  package let order: OrderID?
  package let traceparent: String?
  /// The sender, where it was verified before the refusal.
  package let principal: Principal?
  /// Whether that was by a token that is too old, so that it gives no rights.
  package let isTokenExpired: Bool
  package let journey: Journey

  package init(
    _ reason: DeadLetterReason, _ error: String, faults: [Fault] = [], type: String? = nil, messageID: String? = nil, correlationID: String? = nil,
    replyTo: String? = nil, order: OrderID? = nil, traceparent: String? = nil, principal: Principal? = nil, isTokenExpired: Bool = false,
    journey: Journey = Journey()
  ) {
    self.reason = reason
    self.error = error
    self.faults = faults
    self.type = type
    self.messageID = messageID
    self.correlationID = correlationID
    self.replyTo = replyTo
    self.order = order
    self.traceparent = traceparent
    self.principal = principal
    self.isTokenExpired = isTokenExpired
    self.journey = journey
  }

  /// `journey` where it went on since the command came.
  package init(_ reason: DeadLetterReason, _ error: String, of envelope: CommandEnvelope, journey: Journey? = nil) {
    self.init(
      reason, error, type: envelope.command.type.rawValue, messageID: envelope.identity.message.rawValue, correlationID: envelope.correlationID,
      replyTo: envelope.replyTo, order: envelope.command.order, traceparent: envelope.traceparent, principal: envelope.principal,
      isTokenExpired: envelope.tokenExpired != nil, journey: journey ?? envelope.journey)
  }
}
