extension Order {
  /// Decides what follows from the result of the open operation.
  ///
  /// Nothing, where `operation` is not the open one; and one that nobody waits for stays open in the facts when it is given up.
  /// A decision with an operation and no answer goes on: the command waits for that one's result too.
  package func settle(_ operation: PaymentOperation, with result: PaymentResult, payments: PaymentFacts, at: Timestamp) -> Decision {
    guard payments.open?.number == operation.number else { return Decision([], nil, payments) }
    if result == .unavailable, !operation.isAwaited { return Decision([], nil, payments) }
    var payments = payments
    payments.open = nil
    switch (result, operation.kind) {
    case (.succeeded(let id), .authorize): return authorized(PaymentAuthorization(id: id, amount: operation.amount), by: operation, payments, at)
    case (.succeeded, .capture): return captured(by: operation, payments, at)
    // In no state to be voided means that nothing is held any more: no capture of it was left unknown.
    case (.succeeded, .void), (.conflict, .void): return voided(by: operation, payments, at)
    case (.declined(let code), _): return declined(operation, code: code, payments, at)
    case (.conflict, _): return declined(operation, code: nil, payments, at)
    case (.unavailable, _): return givenUp(operation, payments, at)
    }
  }

  /// Tells once that the open operation's outcome is unknown for longer than the payment timeout. Nil where it was told, is not the open one, or only voids.
  package func paymentStillUnknown(_ operation: PaymentOperation, payments: PaymentFacts, at: Timestamp) -> Change? {
    guard payments.open?.number == operation.number, operation.kind != .void, paymentStatus != .pending else { return nil }
    return marked(.pending, at: at)
  }

  /// Decides what follows from an authorisation that comes home after its operation was given up: it serves nobody and is voided, when its turn comes.
  ///
  /// Captures and voids are given up only where no call of theirs can have an effect. Not for a result that is only told again: whether the operation
  /// was settled without an effect is the caller's to know.
  package func bringHome(_ operation: PaymentOperation, _ id: AuthorizationID, payments: PaymentFacts) -> Decision {
    var payments = payments
    let isKnown = payments.authorization?.id == id || payments.open?.authorization == id || payments.surplus.contains { $0.id == id }
    if operation.kind == .authorize, !isKnown { payments.surplus.append(PaymentAuthorization(id: id, amount: operation.amount)) }
    return .concluded([], nil, payments)
  }

  private func authorized(_ live: PaymentAuthorization, by operation: PaymentOperation, _ payments: PaymentFacts, _ at: Timestamp) -> Decision {
    var payments = payments
    if operation.purpose == .shipAnew, transition(to: .shipped, cause: .update) != nil {
      payments.replaceAuthorization(with: live)
      let capture = payments.capture(live, for: .shipAnew)
      return Decision([], asking: capture, nil, payments)
    }
    if operation.purpose == .confirm, let row = transition(to: .confirmed, cause: .update) {
      payments.replaceAuthorization(with: live)
      return .concluded([moved(by: row, payment: .authorized, at: at)], .accepted, payments)
    }
    payments.surplus.append(live)
    return .concluded([], .rejected(.illegalTransition(self, to: operation.purpose == .confirm ? .confirmed : .shipped)), payments)
  }

  private func captured(by operation: PaymentOperation, _ payments: PaymentFacts, _ at: Timestamp) -> Decision {
    var payments = payments
    guard let row = transition(to: .shipped, cause: .update) else {
      payments.replaceAuthorization(with: nil)
      return .concluded([], .rejected(.illegalTransition(self, to: .shipped)), payments)
    }
    payments.authorization = nil
    return .concluded([moved(by: row, payment: .captured, at: at)], .accepted, payments)
  }

  private func voided(by operation: PaymentOperation, _ payments: PaymentFacts, _ at: Timestamp) -> Decision {
    var payments = payments
    if payments.authorization?.id == operation.authorization { payments.authorization = nil }
    switch operation.purpose {
    case .shipAnew:
      guard let method = operation.method else { return .concluded([], .rejected(.paymentMethodRequired(toShip: self)), payments) }
      let authorize = payments.authorize(total, method: method, for: .shipAnew)
      return Decision([], asking: authorize, nil, payments)
    case .cancel: return .concluded([marked(.voided, at: at)], nil, payments)
    case .confirm, .ship, .release: return .concluded([], nil, payments)
    }
  }

  private func declined(_ operation: PaymentOperation, code: String?, _ payments: PaymentFacts, _ at: Timestamp) -> Decision {
    var payments = payments
    switch operation.purpose {
    case .release: return .concluded([], nil, payments)
    case .cancel: return .concluded([marked(.failed, at: at)], nil, payments)
    case .confirm, .ship, .shipAnew:
      if operation.purpose == .shipAnew, operation.kind == .capture { payments.replaceAuthorization(with: nil) }
      return .concluded([marked(.failed, at: at)], .rejected(.paymentDeclined(operation.amount, code: code)), payments)
    }
  }

  private func givenUp(_ operation: PaymentOperation, _ payments: PaymentFacts, _ at: Timestamp) -> Decision {
    let changes = paymentStatus == .pending ? [marked(.failed, at: at)] : []
    return .concluded(changes, .rejected(.paymentUnavailable(operation.amount)), payments)
  }
}
