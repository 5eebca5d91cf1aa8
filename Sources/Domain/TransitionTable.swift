/// What may set a status.
package enum TransitionCause: Hashable, Sendable, CaseIterable {
  case create, update
  /// The worker itself, once the reservation has run out.
  case clock
}

/// What the payment provider is asked for around a transition of an order that costs something; a total of 0 asks for nothing, ever.
package enum PaymentNeed: Hashable, Sendable, CaseIterable {
  case none, authorizeFirst, captureFirst, voidAfterwards
}

/// A row of the transition table: one way from a status to the next, and all that goes with it.
package struct Transition: Hashable, Sendable {
  /// Nil for an order that is not there yet.
  package let from: OrderStatus?
  package let to: OrderStatus
  package let cause: TransitionCause
  package let event: EventType
  /// What the inventory is asked for; nil where what the order holds of the stock stays as it was.
  package let inventory: InventoryRequest?
  package let payment: PaymentNeed
  /// Open only to an order that was in `to` when it was put on hold.
  package let onlyBack: Bool
}

/// A row of the payments' table: a `payment_status`, what it may follow, and the event where it makes a version of its own.
package struct PaymentStep: Hashable, Sendable {
  package let to: PaymentStatus
  package let from: Set<PaymentStatus>
  /// Nil where it comes with the status's own event (`order.confirmed`, `order.shipped`).
  package let event: EventType?
}

/// Every change that an order may go through, on all its axes. The only place that says any of this.
package enum TransitionTable {
  package static let rows: [Transition] = [
    row(nil, .pending, .create, .created, .reserve),
    row(nil, .rejected, .create, .rejected),

    row(.pending, .confirmed, .update, .confirmed, .allocate, payment: .authorizeFirst),
    row(.pending, .cancelled, .update, .cancelled, .release, payment: .voidAfterwards),
    row(.pending, .expired, .clock, .expired, .expire),

    row(.confirmed, .processing, .update, .processing),
    row(.confirmed, .onHold, .update, .onHold),
    row(.confirmed, .cancelled, .update, .cancelled, .release, payment: .voidAfterwards),

    row(.onHold, .confirmed, .update, .resumed, onlyBack: true),
    row(.onHold, .processing, .update, .resumed, onlyBack: true),
    row(.onHold, .cancelled, .update, .cancelled, .release, payment: .voidAfterwards),

    row(.processing, .shipped, .update, .shipped, .fulfil, payment: .captureFirst),
    row(.processing, .onHold, .update, .onHold),
    row(.processing, .cancelled, .update, .cancelled, .release, payment: .voidAfterwards),

    row(.shipped, .delivered, .update, .delivered),
  ]

  package static let payments: [PaymentStep] = [
    PaymentStep(to: .authorized, from: [.none, .pending, .failed], event: nil),
    PaymentStep(to: .captured, from: [.authorized, .pending, .failed], event: nil),
    PaymentStep(to: .pending, from: [.none, .authorized, .failed], event: .paymentPending),
    PaymentStep(to: .failed, from: [.none, .authorized, .pending, .failed], event: .paymentFailed),
    PaymentStep(to: .voided, from: [.authorized, .failed], event: .paymentVoided),
  ]

  package static func row(from: OrderStatus?, to: OrderStatus) -> Transition? {
    rows.first { $0.from == from && $0.to == to }
  }

  package static func payment(to status: PaymentStatus) -> PaymentStep? {
    payments.first { $0.to == status }
  }

  private static func row(
    _ from: OrderStatus?, _ to: OrderStatus, _ cause: TransitionCause, _ event: EventType, _ inventory: InventoryRequest? = nil,
    payment: PaymentNeed = .none, onlyBack: Bool = false
  ) -> Transition {
    Transition(from: from, to: to, cause: cause, event: event, inventory: inventory, payment: payment, onlyBack: onlyBack)
  }
}

extension OrderStatus {
  /// Nothing follows it.
  package var isFinal: Bool { !TransitionTable.rows.contains { $0.from == self } }
}

extension Order {
  /// The row that leads to `status`, where this order may take it for this cause.
  package func transition(to status: OrderStatus, cause: TransitionCause) -> Transition? {
    guard let row = TransitionTable.row(from: self.status, to: status), row.cause == cause else { return nil }
    return row.onlyBack && heldFrom != status ? nil : row
  }
}
