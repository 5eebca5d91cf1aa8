import Domain

/// How one delivery ends. There is no other way.
package enum Disposition: Sendable {
  /// Decided by the committed transaction: accepted, or rejected by a business rule.
  case decided(CommandResult)
  /// Its id was decided before: answered as the first time.
  case duplicate(CommandResult)
  /// Committed, and its payment is open: answered when that is settled.
  case awaitsPayment
  /// A payment of its order is open, or its own: tried again later, which is no attempt.
  case paymentOpen
  /// It came before its order, or before the version that it expects: tried again in a second, which is no attempt.
  case early
  /// It cannot be done as it stands.
  case deadLettered(Refusal)
}

/// What a batch came to, beside the rows that were written.
package struct BatchOutcome: Sendable {
  /// One for each command, in their order.
  package let dispositions: [Disposition]
  package let events: [PendingEvent]
  package let snapshots: [Snapshot]
  /// Replies of commands that waited for a payment.
  package let replies: [StoredReply]
  /// Commands that waited for a payment and are settled with this batch, with the word for their outcome.
  package let concluded: [Conclusion]
  /// Amounts that the provider has captured.
  package let captured: [Money]
  /// Whether the provider has something new to be asked for.
  package let opensPayments: Bool
}

/// A committed event that is to be published, after those of its order that stood in the outbox before it.
package struct PendingEvent: Sendable {
  package let event: EncodedEvent
  package let behind: [OutboxKey]
}
