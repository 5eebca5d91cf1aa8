import Domain

/// Commands that were sent: each is claimed with what it comes to.
extension BatchFold {
  /// How often a command that comes before its order, or before the version that it expects, is tried again.
  private static let mostEarlyTries = 3

  mutating func add(_ envelope: CommandEnvelope) {
    if let claim = claims[envelope.identity], claim.isOf(envelope) {
      dispositions.append(claim.result.map { .duplicate($0) } ?? .paymentOpen)
      return
    }
    // Only now: what was done under a good token is answered, however late it comes again.
    if let refusal = tokenExpired(envelope) ?? idConflict(envelope) {
      dispositions.append(.deadLettered(refusal))
      return
    }
    let key = envelope.orderKey
    let before = orders[key]
    switch envelope.command {
    case .create(let create):
      let tenant = envelope.identity.tenant
      conclude(
        Order.decide(create, existing: before, tenant: tenant, at: now) { available(ProductKey(tenant: tenant, product: $0)) }, of: envelope,
        before: before)
    case .updateStatus(let update):
      switch Order.decide(update, by: envelope.principal, on: before, payments: payments(of: key), at: now) {
      case .decided(let decision): conclude(decision, of: envelope, before: before)
      case .early(let rejection) where envelope.journey.earlyTries >= Self.mostEarlyTries:
        // What may not be seen is answered as what is not there.
        let visible = rejection.code == .notFound ? nil : before
        settle(envelope, refuse(envelope, rejection, order: visible), before: visible)
      case .early: dispositions.append(.early)
      case .paymentOpen: dispositions.append(.paymentOpen)
      }
    }
  }

  private func tokenExpired(_ envelope: CommandEnvelope) -> Refusal? {
    envelope.tokenExpired.map { Refusal(.unauthenticated, $0, of: envelope) }
  }

  private func idConflict(_ envelope: CommandEnvelope) -> Refusal? {
    guard claims[envelope.identity] != nil else { return nil }
    return Refusal(.idConflict, "message_id \(envelope.identity.message) was used before with another sender, type or data", of: envelope)
  }

  private mutating func conclude(_ first: Decision, of envelope: CommandEnvelope, before: Order?) {
    let key = envelope.orderKey
    var decision = first
    for change in decision.changes { apply(change, Cause(envelope)) }
    if let operation = decision.operation, let order = orders[key] {
      if terms.payments.hasProvider || !operation.isAwaited {
        set(decision.payments, of: key)
        open(operation, of: order, cause: cause(envelope, before: before))
      } else {
        // Nobody is there to be asked: it had no effect and will have none.
        decision = order.settle(operation, with: .unavailable, payments: decision.payments, at: now)
        for change in decision.changes { apply(change, Cause(envelope)) }
      }
    } else if !decision.changes.isEmpty, decision.payments != payments(of: key) {
      set(decision.payments, of: key)
    }
    let order = orders[key]
    switch decision.answer {
    case .rejected(let rejection) where order?.version == before?.version:
      settle(envelope, refuse(envelope, rejection, order: before), before: before)
    case .rejected(let rejection): settle(envelope, result(envelope, order, rejection), before: before)
    case .accepted: settle(envelope, result(envelope, order, nil), before: before)
    case nil:
      claim(envelope, nil)
      dispositions.append(.awaitsPayment)
    }
  }

  private func cause(_ envelope: CommandEnvelope, before: Order?) -> PaymentCause {
    PaymentCause(
      identity: envelope.identity, type: envelope.command.type, actor: envelope.principal.subject, reason: envelope.command.reason,
      correlationID: envelope.correlationID, traceparent: envelope.traceparent, replyTo: envelope.replyTo, command: encoder.command(envelope.command),
      versionBefore: before?.version ?? 0)
  }

  private func result(_ envelope: CommandEnvelope, _ order: Order?, _ rejection: Rejection?) -> CommandResult {
    CommandResult(order: envelope.command.order, status: order?.status, version: order?.version, rejection: rejection)
  }

  /// A refused command that makes no version tells so by an event of its own.
  private mutating func refuse(_ envelope: CommandEnvelope, _ rejection: Rejection, order: Order?) -> CommandResult {
    let refused = RefusedCommand(identity: envelope.identity, order: envelope.orderKey, body: encoder.command(envelope.command))
    writes.events.append(encoder.commandRejected(refused, rejection, order: order, context: Cause(envelope).context(at: now)))
    return result(envelope, order, rejection)
  }

  private mutating func settle(_ envelope: CommandEnvelope, _ result: CommandResult, before: Order?) {
    claim(envelope, result)
    audit(
      envelope.command.type.rawValue, result.rejection?.code.rawValue ?? "accepted", of: result.order, Cause(envelope), before: before,
      after: orders[envelope.orderKey])
    dispositions.append(.decided(result))
  }

  private mutating func claim(_ envelope: CommandEnvelope, _ result: CommandResult?) {
    let claim = Claim(fingerprint: envelope.fingerprint, subject: envelope.principal.subject, type: envelope.command.type, result: result)
    claims[envelope.identity] = claim
    writes.claims.append(ClaimEntry(identity: envelope.identity, claim: claim))
  }
}

extension Claim {
  /// Whether the same command made it.
  fileprivate func isOf(_ envelope: CommandEnvelope) -> Bool {
    // By bytes, as PostgreSQL compares: `String` takes two spellings of `é` for one.
    fingerprint == envelope.fingerprint && subject.utf8.elementsEqual(envelope.principal.subject.utf8) && type == envelope.command.type
  }
}
