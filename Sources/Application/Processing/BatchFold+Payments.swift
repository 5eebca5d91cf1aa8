import Domain

/// The worker's own commands: what the provider answered, and the clock.
extension BatchFold {
  mutating func add(_ command: OwnCommand) {
    switch command {
    case .paymentAnswered(let report): answered(report)
    case .expire(let key): expire(key)
    }
  }

  mutating func open(_ operation: PaymentOperation, of order: Order, cause: PaymentCause) {
    let record = PaymentRecord(
      key: PaymentKey(order: order.key, number: operation.number), operation: operation,
      call: terms.payments.encoder.call(for: operation, of: order), cause: cause, openedAt: now)
    writes.opened.append(record)
  }

  private mutating func expire(_ key: OrderKey) {
    guard let order = orders[key], let change = order.expire(at: now, lifetime: terms.reservationTTL, payments: payments(of: key)) else { return }
    let cause = Cause(expiryOf: key)
    apply(change, cause)
    audit("order.expire", "accepted", of: key.order, cause, before: order, after: change.order)
  }

  private mutating func answered(_ report: PaymentReport) {
    guard let record = records[report.key], let order = orders[report.key.order] else { return }
    guard record.lease == report.lease else { return cameLate(report.answer, record, order) }
    guard record.state == .open else { return watched(report.answer, record, order) }
    switch report.answer {
    case .known(let result): settle(record, result, order)
    case .noEffect(_, let retryAfter): hadNoEffect(record, isUnknown: record.isUnknown, retryAfter: retryAfter, order)
    case .neverCame: hadNoEffect(record, isUnknown: false, retryAfter: nil, order)
    case .unknown, .notTold: postpone(record, isUnknown: true, retryAfter: nil, order)
    }
  }

  private mutating func hadNoEffect(_ record: PaymentRecord, isUnknown: Bool, retryAfter: Duration?, _ order: Order) {
    if !isUnknown, record.mayBeGivenUp, now >= record.openedAt + terms.payments.giveUp {
      settle(record, .unavailable, order)
    } else {
      postpone(record, isUnknown: isUnknown, retryAfter: retryAfter, refused: true, order)
    }
  }

  /// An answer to a lease that was over: the holder of the next one hears the same, unless the operation was settled as having had no effect.
  private mutating func cameLate(_ answer: PaymentAnswer, _ record: PaymentRecord, _ order: Order) {
    guard case .known(.succeeded(let id)) = answer, record.state != .open, record.state != .succeeded else { return }
    let key = record.key.order
    let decision = order.bringHome(record.operation, id, payments: payments(of: key))
    settled(record, as: .succeeded, authorization: id, declineCode: nil)
    follow(decision, record, order)
  }

  /// What was looked up of an operation that was given up.
  private mutating func watched(_ answer: PaymentAnswer, _ record: PaymentRecord, _ order: Order) {
    if case .known(.succeeded) = answer { return cameLate(answer, record, order) }
    let next: Duration? =
      switch answer {
      case .known: nil
      case .neverCame: terms.payments.pause(beforeWatching: record, now: now)
      // Nothing was learned: whatever the age, there is a look to come.
      case .noEffect, .unknown, .notTold: max(terms.payments.giveUp / 4, .seconds(1))
      }
    records[record.key]?.lease = nil
    writes.postponed.append(PaymentPostponement(key: record.key, isUnknown: next != nil, delay: next ?? .zero, waitsForLease: false))
  }

  private mutating func settle(_ record: PaymentRecord, _ result: PaymentResult, _ order: Order) {
    let decision = order.settle(record.operation, with: result, payments: payments(of: record.key.order), at: now)
    switch result {
    case .succeeded(let id): settled(record, as: .succeeded, authorization: id, declineCode: nil)
    case .declined(let code): settled(record, as: .declined, authorization: nil, declineCode: code)
    case .conflict: settled(record, as: .conflict, authorization: nil, declineCode: nil)
    case .unavailable: settled(record, as: .unavailable, authorization: nil, declineCode: nil)
    }
    follow(decision, record, order)
  }

  private mutating func settled(_ record: PaymentRecord, as state: PaymentState, authorization: AuthorizationID?, declineCode: String?) {
    records[record.key]?.state = state
    writes.settled.removeAll { $0.key == record.key }
    let isWatched = state == .unavailable && record.wasUnknown && record.operation.kind == .authorize
    writes.settled.append(
      PaymentSettlement(
        key: record.key, state: state, authorization: authorization, declineCode: declineCode,
        watchedAfter: isWatched ? terms.payments.pause(beforeWatching: record, now: now) : nil))
  }

  private mutating func postpone(_ record: PaymentRecord, isUnknown: Bool, retryAfter: Duration?, refused: Bool = false, _ order: Order) {
    let key = record.key.order
    let facts = payments(of: key)
    var isTold = order.paymentStatus == .pending || record.operation.kind == .void
    if isUnknown, !isTold, let first = record.firstCalledAt, now >= first + terms.payments.timeout,
      let change = order.paymentStillUnknown(record.operation, payments: facts, at: now)
    {
      isTold = true
      apply(change, Cause(record.cause))
      audit("payment.\(record.operation.kind.rawValue)", "pending", of: key.order, Cause(record.cause), before: order, after: change.order)
    }
    records[record.key]?.lease = nil
    let pause = terms.payments.pause(before: record, isUnknown: isUnknown, isTold: isTold, retryAfter: retryAfter, now: now)
    // Asked again in vain: what the key did can be looked up once every lease is over.
    writes.postponed.append(PaymentPostponement(key: record.key, isUnknown: isUnknown, delay: pause, waitsForLease: isUnknown && isTold && refused))
  }

  /// What follows from a result: versions, the provider's next call, and the answer to the command that waited.
  private mutating func follow(_ decision: Decision, _ record: PaymentRecord, _ before: Order) {
    let key = record.key.order
    let cause = Cause(record.cause)
    for change in decision.changes { apply(change, cause) }
    set(decision.payments, of: key)
    let order = orders[key]!  // it was there before, and nothing removes orders
    if let operation = decision.operation { open(operation, of: order, cause: record.cause) }
    guard let answer = decision.answer else {
      if !decision.changes.isEmpty { audit("payment.\(record.operation.kind.rawValue)", "accepted", of: key.order, cause, before: before, after: order) }
      return
    }
    conclude(answer, record.cause, before: before, order)
  }

  private mutating func conclude(_ answer: Answer, _ payment: PaymentCause, before: Order, _ order: Order) {
    let cause = Cause(payment)
    var rejection: Rejection?
    if case .rejected(let reason) = answer { rejection = reason }
    if let rejection, order.version == payment.versionBefore {
      let refused = RefusedCommand(identity: payment.identity, order: order.key, body: payment.command)
      writes.events.append(encoder.commandRejected(refused, rejection, order: order, context: cause.context(at: now)))
    }
    let result = CommandResult(order: order.key.order, status: order.status, version: order.version, rejection: rejection)
    if let claim = claims[payment.identity] {
      claims[payment.identity] = Claim(fingerprint: claim.fingerprint, subject: claim.subject, type: claim.type, result: result)
    }
    concluded.append(Conclusion(type: payment.type, outcome: rejection == nil ? .accepted : .rejected))
    writes.settledClaims.append(ClaimSettlement(identity: payment.identity, result: result))
    audit(payment.type.rawValue, rejection?.code.rawValue ?? "accepted", of: order.key.order, cause, before: before, after: order)
    guard let to = payment.replyTo else { return }
    let row = OutboxKey(order: order.key, version: 0, event: encoder.replyID(payment.identity))
    let body = encoder.reply(.first(result), messageID: payment.identity.message.rawValue)
    writes.replies.append(StoredReply(key: row, reply: Reply(to: to, correlationID: payment.correlationID, body: body, traceparent: payment.traceparent)))
  }
}
