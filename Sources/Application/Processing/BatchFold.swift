import Domain

/// The state of a batch while it is decided: facts as the commands so far have changed them, and the rows that they make.
struct BatchFold {
  private let encoder: any MessageEncoder
  private let now: Timestamp
  private var claims: [CommandIdentity: Claim]
  private var orders: [OrderKey: Order]
  private var stock: [ProductKey: StockLevel]
  private let unsent: [OrderKey: [OutboxKey]]
  private let known: Set<OrderKey>

  private var changed: [OrderKey] = []
  private var json: [OrderKey: [UInt8]] = [:]
  private var writes = BatchWrites()
  private var dispositions: [Disposition] = []

  init(facts: BatchFacts, encoder: any MessageEncoder, capacity: Int) {
    self.encoder = encoder
    now = facts.now
    claims = facts.claims
    orders = facts.orders
    stock = facts.stock
    unsent = facts.unsent
    known = Set(facts.orders.keys)
    dispositions.reserveCapacity(capacity)
    writes.claims.reserveCapacity(capacity)
    writes.audit.reserveCapacity(capacity)
    writes.history.reserveCapacity(capacity)
    writes.events.reserveCapacity(capacity)
  }

  mutating func add(_ envelope: CommandEnvelope) {
    if let claim = claims[envelope.identity] {
      guard claim.fingerprint == envelope.fingerprint, claim.subject == envelope.principal.subject, claim.type == envelope.command.type else {
        dispositions.append(
          .deadLettered(Refusal(.idConflict, "message_id \(envelope.identity.message) was used before with another sender, type or data", of: envelope)))
        return
      }
      dispositions.append(.duplicate(claim.result))
      return
    }
    let key = envelope.orderKey
    let before = orders[key]
    switch envelope.command {
    case .create(let create):
      let tenant = envelope.identity.tenant
      let decision = Order.decide(create, existing: before, tenant: tenant, at: now) { stock[ProductKey(tenant: tenant, product: $0)]?.available ?? 0 }
      conclude(decision, of: envelope, before: before)
    case .updateStatus(let update):
      switch Order.decide(update, by: envelope.principal, on: before, payments: .none, at: now) {
      case .decided(let decision): conclude(decision, of: envelope, before: before)
      case .early(let rejection) where envelope.journey.earlyTries >= Self.mostEarlyTries:
        // What may not be seen is answered as what is not there.
        let visible = rejection.code == .notFound ? nil : before
        settle(envelope, refuse(envelope, rejection, order: visible), before: visible)
      case .early, .paymentOpen: dispositions.append(.early)
      }
    }
  }

  /// How often a command that comes before its order, or before the version that it expects, is tried again.
  private static let mostEarlyTries = 3

  func finish() -> (BatchWrites, BatchOutcome) {
    var writes = writes
    for key in changed.sorted() {
      if known.contains(key) { writes.updated.append(orders[key]!) } else { writes.created.append(orders[key]!) }
    }
    let snapshots = changed.map { Snapshot(key: $0, version: orders[$0]!.version, json: json[$0]!) }
    let events = writes.events.map { event in
      // One that is no version stands in nobody's way.
      PendingEvent(event: event, behind: (unsent[event.key.order] ?? []).filter { $0.version > 0 })
    }
    return (writes, BatchOutcome(dispositions: dispositions, events: events, snapshots: snapshots))
  }

  /// Without a payment provider every operation is given up at once: it had no effect and will have none.
  private mutating func conclude(_ first: Decision, of envelope: CommandEnvelope, before: Order?) {
    var decision = first
    var answer = first.answer
    var order = before
    while true {
      for change in decision.changes {
        order = change.order
        apply(change, envelope)
      }
      guard let operation = decision.operation, let current = order else { break }
      decision = current.settle(operation, with: .unavailable, payments: decision.payments, at: now)
      answer = answer ?? decision.answer
    }
    let isNewVersion = order?.version != before?.version
    switch answer {
    case .rejected(let rejection) where !isNewVersion: settle(envelope, refuse(envelope, rejection, order: before), before: before)
    case .rejected(let rejection): settle(envelope, result(envelope, order, rejection), before: before)
    case .accepted, nil: settle(envelope, result(envelope, order, nil), before: before)
    }
  }

  private func result(_ envelope: CommandEnvelope, _ order: Order?, _ rejection: Rejection?) -> CommandResult {
    CommandResult(order: envelope.command.order, status: order?.status, version: order?.version, rejection: rejection)
  }

  /// A refused command that makes no version tells so by an event of its own.
  private mutating func refuse(_ envelope: CommandEnvelope, _ rejection: Rejection, order: Order?) -> CommandResult {
    writes.events.append(encoder.commandRejected(envelope, rejection, order: order, context: context(envelope)))
    return result(envelope, order, rejection)
  }

  private mutating func apply(_ change: Change, _ envelope: CommandEnvelope) {
    let order = change.order
    if orders.updateValue(order, forKey: order.key) == nil || json[order.key] == nil { changed.append(order.key) }
    let text = encoder.order(order)
    json[order.key] = text
    writes.events.append(encoder.event(of: change, order: text, context: context(envelope)))
    writes.history.append(
      HistoryEntry(
        order: order.key, version: order.version, status: order.status, previousStatus: change.previousStatus, paymentStatus: order.paymentStatus,
        at: now, actor: envelope.principal.subject, message: envelope.identity.message, reason: envelope.command.reason))
    for movement in change.stock {
      let key = ProductKey(tenant: order.key.tenant, product: movement.product)
      stock[key]?.onHand += movement.onHand
      stock[key]?.reserved += movement.reserved
      writes.stock[key, default: StockLevel(onHand: 0, reserved: 0)].onHand += movement.onHand
      writes.stock[key, default: StockLevel(onHand: 0, reserved: 0)].reserved += movement.reserved
    }
  }

  private mutating func settle(_ envelope: CommandEnvelope, _ result: CommandResult, before: Order?) {
    let claim = Claim(fingerprint: envelope.fingerprint, subject: envelope.principal.subject, type: envelope.command.type, result: result)
    claims[envelope.identity] = claim
    writes.claims.append(ClaimEntry(identity: envelope.identity, claim: claim))
    writes.audit.append(
      AuditEntry(
        tenant: envelope.identity.tenant, at: now, actor: envelope.principal.subject, action: envelope.command.type.rawValue,
        message: envelope.identity.message, order: result.order, outcome: result.rejection?.code.rawValue ?? "accepted",
        correlationID: envelope.correlationID, traceparent: envelope.traceparent, before: before, after: orders[envelope.orderKey]))
    dispositions.append(.decided(result))
  }

  private func context(_ envelope: CommandEnvelope) -> EventContext {
    EventContext(
      correlationID: envelope.correlationID, causationID: envelope.identity.message.rawValue, traceparent: envelope.traceparent, at: now)
  }
}
