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
    let before = orders[envelope.orderKey]
    let result: CommandResult
    switch envelope.command {
    case .create(let create): result = place(create, envelope, existing: before)
    case .updateStatus: result = refuse(envelope, Rejection(.notFound, "there is no order \(envelope.command.order)"), order: before)
    }
    settle(envelope, result, before: before)
  }

  func finish() -> (BatchWrites, BatchOutcome) {
    var writes = writes
    for key in changed.sorted() {
      if known.contains(key) { writes.updated.append(orders[key]!) } else { writes.created.append(orders[key]!) }
    }
    let snapshots = changed.map { Snapshot(key: $0, version: orders[$0]!.version, json: json[$0]!) }
    let events = writes.events.map { PendingEvent(event: $0, behind: unsent[$0.key.order] ?? []) }
    return (writes, BatchOutcome(dispositions: dispositions, events: events, snapshots: snapshots))
  }

  private mutating func place(_ create: CreateOrder, _ envelope: CommandEnvelope, existing: Order?) -> CommandResult {
    let tenant = envelope.identity.tenant
    if existing != nil {
      return refuse(envelope, Rejection(.alreadyExists, "order \(create.order) was created by another message"), order: existing)
    }
    let placement = Order.place(create, tenant: tenant, at: now) { stock[ProductKey(tenant: tenant, product: $0)]?.available ?? 0 }
    switch placement {
    case .created(let change):
      apply(change, envelope)
      return CommandResult(order: create.order, status: change.order.status, version: change.order.version)
    case .rejected(let change, let rejection):
      apply(change, envelope)
      return CommandResult(order: create.order, status: change.order.status, version: change.order.version, rejection: rejection)
    }
  }

  /// A refused command that makes no version tells so by an event of its own.
  private mutating func refuse(_ envelope: CommandEnvelope, _ rejection: Rejection, order: Order?) -> CommandResult {
    writes.events.append(encoder.commandRejected(envelope, rejection, order: order, context: context(envelope)))
    return CommandResult(order: envelope.command.order, status: order?.status, version: order?.version, rejection: rejection)
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
        at: now, actor: envelope.principal.subject, message: envelope.identity.message, reason: nil))
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
