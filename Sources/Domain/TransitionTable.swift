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

/// What a transition moves in the stock, for each line of the order.
package enum StockEffect: Hashable, Sendable, CaseIterable {
  case none
  /// Reserved rises.
  case reserve
  /// Reserved falls: the pieces are anybody's again.
  case free
  /// The pieces leave the house: on hand and reserved both fall.
  case fulfil

  package func movements(of lines: [OrderLine]) -> [StockMovement] {
    switch self {
    case .none: []
    case .reserve: lines.map { StockMovement(product: $0.product, reserved: $0.quantity.value) }
    case .free: lines.map { StockMovement(product: $0.product, reserved: -$0.quantity.value) }
    case .fulfil: lines.map { StockMovement(product: $0.product, onHand: -$0.quantity.value, reserved: -$0.quantity.value) }
    }
  }
}

/// A row of the transition table: one way from a status to the next, and all that goes with it.
package struct Transition: Hashable, Sendable {
  /// Nil for an order that is not there yet.
  package let from: OrderStatus?
  package let to: OrderStatus
  package let cause: TransitionCause
  package let event: EventType
  /// Nil where it stays as it was.
  package let reservation: ReservationState?
  package let stock: StockEffect
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
    row(nil, .pending, .create, .created, .held, .reserve),
    row(nil, .rejected, .create, .rejected, ReservationState.none),

    row(.pending, .confirmed, .update, .confirmed, .allocated, payment: .authorizeFirst),
    row(.pending, .cancelled, .update, .cancelled, .released, .free, payment: .voidAfterwards),
    row(.pending, .expired, .clock, .expired, .expired, .free),

    row(.confirmed, .processing, .update, .processing),
    row(.confirmed, .onHold, .update, .onHold),
    row(.confirmed, .cancelled, .update, .cancelled, .released, .free, payment: .voidAfterwards),

    row(.onHold, .confirmed, .update, .resumed, onlyBack: true),
    row(.onHold, .processing, .update, .resumed, onlyBack: true),
    row(.onHold, .cancelled, .update, .cancelled, .released, .free, payment: .voidAfterwards),

    row(.processing, .shipped, .update, .shipped, .fulfilled, .fulfil, payment: .captureFirst),
    row(.processing, .onHold, .update, .onHold),
    row(.processing, .cancelled, .update, .cancelled, .released, .free, payment: .voidAfterwards),

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
    _ from: OrderStatus?, _ to: OrderStatus, _ cause: TransitionCause, _ event: EventType, _ reservation: ReservationState? = nil,
    _ stock: StockEffect = .none, payment: PaymentNeed = .none, onlyBack: Bool = false
  ) -> Transition {
    Transition(
      from: from, to: to, cause: cause, event: event, reservation: reservation, stock: stock, payment: payment, onlyBack: onlyBack)
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
