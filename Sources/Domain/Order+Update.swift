extension Order {
  /// Decides `order.update_status`.
  ///
  /// `order` is nil where there is none; `payments` are its facts. Where the provider is needed first, the decision has an operation and no answer:
  /// `settle` goes on from there.
  package static func decide(
    _ update: UpdateStatus, by principal: Principal, on order: Order?, payments: PaymentFacts, at: Timestamp
  ) -> Verdict {
    guard let order, order.isWithinReach(of: principal) else { return .early(orElse: .notFound(update.order)) }
    // What nobody waits for may stay open for ever, and an order that is at its end goes nowhere, whatever becomes of it.
    if let open = payments.open, open.isAwaited || !order.status.isFinal { return .paymentOpen }
    if let expected = update.expectedVersion, expected != order.version {
      let conflict = Rejection.versionConflict(order, expected: expected)
      return expected > order.version ? .early(orElse: conflict) : .decided(.concluded([], .rejected(conflict), payments))
    }
    do {
      return .decided(try order.follow(update, principal, payments, at))
    } catch {
      return .decided(.concluded([], .rejected(error), payments))
    }
  }

  /// Expires an order that nobody confirmed within `lifetime`. Nil where that does not apply, or not yet.
  package func expire(at now: Timestamp, lifetime: Duration, payments: PaymentFacts) -> Change? {
    guard payments.open == nil, now >= createdAt + lifetime, let row = transition(to: .expired, cause: .clock) else { return nil }
    return moved(by: row, at: now)
  }

  private func isWithinReach(of principal: Principal) -> Bool {
    principal.tenant == key.tenant && (principal.updatesEveryOrder || CustomerID(principal.subject) == customer)
  }

  private func follow(_ update: UpdateStatus, _ principal: Principal, _ payments: PaymentFacts, _ at: Timestamp) throws(Rejection) -> Decision {
    guard let row = transition(to: update.status, cause: .update) else { throw .illegalTransition(self, to: update.status) }
    if !principal.updatesEveryOrder, status != .pending || row.to != .cancelled { throw .onlyWhilePending(self, to: update.status) }
    switch row.payment {
    case .none: return .concluded([moved(by: row, at: at)], .accepted, payments)
    case .authorizeFirst: return try confirm(with: update.paymentMethod, payments: payments, at: at)
    case .captureFirst: return try ship(by: row, with: update.paymentMethod, payments, at)
    case .voidAfterwards: return cancel(by: row, payments, at)
    }
  }

  /// On to `confirmed`: at once where nothing is to be paid, else once the whole amount is authorised.
  func confirm(with method: PaymentMethod?, payments: PaymentFacts, at: Timestamp) throws(Rejection) -> Decision {
    guard let row = transition(to: .confirmed, cause: .update) else { throw .illegalTransition(self, to: .confirmed) }
    if total.isZero { return .concluded([moved(by: row, at: at)], .accepted, payments) }
    if let live = payments.authorization, live.amount == total {
      return .concluded([moved(by: row, payment: .authorized, at: at)], .accepted, payments)
    }
    guard let method = method ?? paymentMethod else { throw .paymentMethodRequired(toConfirm: self) }
    var payments = payments
    let operation = payments.authorize(total, method: method, for: .confirm)
    return Decision([], asking: operation, nil, payments)
  }

  private func ship(by row: Transition, with method: PaymentMethod?, _ payments: PaymentFacts, _ at: Timestamp) throws(Rejection) -> Decision {
    if total.isZero { return .concluded([moved(by: row, at: at)], .accepted, payments) }
    let another = paymentStatus == .failed ? method : nil
    var payments = payments
    let operation: PaymentOperation
    switch (payments.authorization, another) {
    case (let live?, let method?): operation = payments.void(live, for: .shipAnew, thenWith: method)
    case (let live?, nil): operation = payments.capture(live, for: .ship)
    case (nil, let method?): operation = payments.authorize(total, method: method, for: .shipAnew)
    case (nil, nil): throw .paymentMethodRequired(toShip: self)
    }
    return Decision([], asking: operation, nil, payments)
  }

  private func cancel(by row: Transition, _ payments: PaymentFacts, _ at: Timestamp) -> Decision {
    let cancelled = moved(by: row, at: at)
    guard let live = payments.authorization else { return .concluded([cancelled], .accepted, payments) }
    var payments = payments
    let operation = payments.void(live, for: .cancel)
    return Decision([cancelled], asking: operation, .accepted, payments)
  }
}

extension Principal {
  /// Whether it may update every order of its tenant, not only cancel its own.
  package var updatesEveryOrder: Bool { roles.contains(.service) || roles.contains(.operator) }
}
