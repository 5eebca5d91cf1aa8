import Domain

/// Names one operation of an order for ever.
package struct PaymentKey: Hashable, Comparable, Sendable {
  package let order: OrderKey
  package let number: Int

  package init(order: OrderKey, number: Int) {
    self.order = order
    self.number = number
  }

  package static func < (a: Self, b: Self) -> Bool { a.order != b.order ? a.order < b.order : a.number < b.number }
}

/// The command that an operation came from: what its result is told with, and to whom.
package struct PaymentCause: Hashable, Sendable {
  package let identity: CommandIdentity
  package let type: CommandType
  package let actor: String
  package let reason: String?
  package let correlationID: String
  package let traceparent: String?
  package let replyTo: String?
  /// The command in the form of its body, without its payment method.
  package let command: [UInt8]
  /// The order's version before the command; 0 where there was no order.
  package let versionBefore: Int64

  package init(
    identity: CommandIdentity, type: CommandType, actor: String, reason: String?, correlationID: String, traceparent: String?, replyTo: String?,
    command: [UInt8], versionBefore: Int64
  ) {
    self.identity = identity
    self.type = type
    self.actor = actor
    self.reason = reason
    self.correlationID = correlationID
    self.traceparent = traceparent
    self.replyTo = replyTo
    self.command = command
    self.versionBefore = versionBefore
  }
}

package enum PaymentState: String, Sendable, CaseIterable {
  case open, succeeded, declined, conflict, unavailable
}

/// An operation as it is kept: what it is for, the call to make, and how far it has got.
package struct PaymentRecord: Hashable, Sendable {
  package let key: PaymentKey
  package let operation: PaymentOperation
  package let call: PaymentCall
  package let cause: PaymentCause
  package let openedAt: Timestamp
  package var state = PaymentState.open
  /// When the first call began, by the store's clock.
  package var firstCalledAt: Timestamp?
  /// Whether a call may have had an effect that nobody knows of. It stays so until the provider answers the key. Of one that was given up: whether it
  /// is still looked up now and then, as a call may have been held on its way.
  package var isUnknown = false
  /// Whether it ever was unknown.
  package var wasUnknown = false
  package var attempts = 0
  /// Of the call that is under way.
  package var lease: UUIDValue?

  package init(key: PaymentKey, operation: PaymentOperation, call: PaymentCall, cause: PaymentCause, openedAt: Timestamp) {
    self.key = key
    self.operation = operation
    self.call = call
    self.cause = cause
    self.openedAt = openedAt
  }

  /// Whether it may end without the provider's answer to its key. A capture or void of which a call may still be on its way may not: what is done
  /// instead would be done beside it. A late authorisation can be voided.
  var mayBeGivenUp: Bool { operation.isAwaited && (operation.kind == .authorize || !wasUnknown) }
}

/// What the provider said to one call, on its way into the pipeline.
package struct PaymentReport: Hashable, Sendable {
  package let key: PaymentKey
  package let lease: UUIDValue
  package let answer: PaymentAnswer
  /// The command behind it.
  package let trace: CommandReference?

  package init(key: PaymentKey, lease: UUIDValue, answer: PaymentAnswer, trace: CommandReference? = nil) {
    self.key = key
    self.lease = lease
    self.answer = answer
    self.trace = trace
  }
}

/// The end of an operation: its row is open no more.
package struct PaymentSettlement: Hashable, Sendable {
  package let key: PaymentKey
  package let state: PaymentState
  /// What was authorised.
  package let authorization: AuthorizationID?
  package let declineCode: String?
  /// When the key of an operation that was given up is looked up again, as a call of it may have been held on its way. Nil where none can.
  package let watchedAfter: Duration?
}

/// An operation that is to be tried again, and not before `delay` has passed.
package struct PaymentPostponement: Hashable, Sendable {
  package let key: PaymentKey
  package let isUnknown: Bool
  package let delay: Duration
  /// Whether it also waits for the end of its last call's lease.
  package let waitsForLease: Bool
}
