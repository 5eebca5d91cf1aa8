extension Order {
  /// The next version by a row of the transition table; `payment` is the payment's new status, where it changes.
  func moved(by row: Transition, payment: PaymentStatus? = nil, at: Timestamp) -> Change {
    assert(row.from == status, "a row of another status")
    var next = self
    next.status = row.to
    next.heldFrom = row.to == .onHold ? status : nil
    if let request = row.inventory { next.reservation = request.result }
    if let payment { next.paymentStatus = payment }
    return change(to: next, row.event, row.inventory, at)
  }

  /// The next version by a row of the payments' table: the status stays.
  func marked(_ payment: PaymentStatus, at: Timestamp) -> Change {
    guard let event = TransitionTable.payment(to: payment)?.event else { preconditionFailure("\(payment) makes no version of its own") }
    var next = self
    next.paymentStatus = payment
    return change(to: next, event, nil, at)
  }

  private func change(to next: Order, _ event: EventType, _ inventory: InventoryRequest?, _ at: Timestamp) -> Change {
    assert(
      next.paymentStatus == paymentStatus || TransitionTable.payment(to: next.paymentStatus)?.from.contains(paymentStatus) == true,
      "\(paymentStatus) is not followed by \(next.paymentStatus)")
    var next = next
    next.version += 1
    // Another worker's clock may have been ahead of this one's.
    next.updatedAt = max(updatedAt, at)
    return Change(order: next, previousStatus: status, event: event, inventory: inventory)
  }
}
