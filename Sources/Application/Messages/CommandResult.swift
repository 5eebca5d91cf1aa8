import Domain

/// What a command came to, as it is kept with its claim and answered, the first time and every time after.
package struct CommandResult: Hashable, Sendable {
  package let order: OrderID?
  package let status: OrderStatus?
  package let version: Int64?
  /// Nil: accepted.
  package let rejection: Rejection?

  package init(order: OrderID?, status: OrderStatus?, version: Int64?, rejection: Rejection? = nil) {
    self.order = order
    self.status = status
    self.version = version
    self.rejection = rejection
  }
}

/// The outcome that a reply tells.
package enum ReplyOutcome: Sendable, Hashable {
  case first(CommandResult)
  case duplicate(CommandResult)
  case deadLettered(DeadLetterReason, error: String, faults: [Fault])
}
