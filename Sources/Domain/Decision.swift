/// What is said to the sender of a command.
package enum Answer: Hashable, Sendable {
  case accepted
  case rejected(Rejection)
}

/// What follows from a command, a payment's result or the clock: all of it is committed together, or none.
///
/// The data's path: facts (`Order?`, `PaymentFacts`, the stock) → decision → `changes` as order, history, stock and events; `operation` as an open
/// row of payments; `answer` as the command's outcome. To fold a batch, the last change's order and `payments` are the facts of the next command.
package struct Decision: Hashable, Sendable {
  /// New versions, in their order: none, one or two.
  package let changes: [Change]
  /// The provider's next call.
  package let operation: PaymentOperation?
  /// Nil where the answer comes with the operation's result, or where no command waits for one. A rejection without a change is an `order.command_rejected`.
  package let answer: Answer?
  /// The facts as they are now; `operation` is open in them.
  package let payments: PaymentFacts

  init(_ changes: [Change], asking operation: PaymentOperation? = nil, _ answer: Answer?, _ payments: PaymentFacts) {
    self.changes = changes
    self.operation = operation
    self.answer = answer
    self.payments = payments
  }

  /// With nothing more to ask for the command: the turn of what waits to be voided.
  static func concluded(_ changes: [Change], _ answer: Answer?, _ payments: PaymentFacts) -> Decision {
    var payments = payments
    let operation = payments.voidSurplus()
    return Decision(changes, asking: operation, answer, payments)
  }
}

/// Whether a command can be decided yet.
package enum Verdict: Hashable, Sendable {
  case decided(Decision)
  /// Its order, or the version that it expects, may still be on its way: tried again, then refused with this.
  case early(orElse: Rejection)
  /// An operation of its order is open: it waits, without an attempt counted.
  case paymentOpen
}
