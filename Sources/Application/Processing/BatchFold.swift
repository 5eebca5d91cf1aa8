import Domain

/// The state of a batch while it is decided: facts as the commands so far have changed them, and the rows that they make.
struct BatchFold {
  let encoder: any MessageEncoder
  let terms: OrderTerms
  let now: Timestamp
  var claims: [CommandIdentity: Claim]
  var orders: [OrderKey: Order]
  var records: [PaymentKey: PaymentRecord]
  private var payments: [OrderKey: PaymentFacts]
  private var inventory: any Inventory
  private let facts: BatchFacts

  private var changed: [OrderKey] = []
  private var json: [OrderKey: [UInt8]] = [:]
  private var captured: [Money] = []
  var concluded: [Conclusion] = []
  var writes = BatchWrites()
  var dispositions: [Disposition] = []

  init(facts: BatchFacts, encoder: any MessageEncoder, terms: OrderTerms, capacity: Int) {
    self.encoder = encoder
    self.terms = terms
    self.facts = facts
    now = facts.now
    claims = facts.claims
    orders = facts.orders
    records = facts.records
    payments = facts.payments
    inventory = BuiltInInventory(facts)
    dispositions.reserveCapacity(capacity)
    writes.claims.reserveCapacity(capacity)
    writes.audit.reserveCapacity(capacity)
    writes.history.reserveCapacity(capacity)
    writes.events.reserveCapacity(capacity)
  }

  func available(_ product: ProductKey) -> Int64 { inventory.available(product) }
  func payments(of order: OrderKey) -> PaymentFacts { payments[order] ?? .none }
  mutating func set(_ next: PaymentFacts, of order: OrderKey) { payments[order] = next }

  /// A new version of an order, with its event, its history and what it asks of the inventory.
  mutating func apply(_ change: Change, _ cause: Cause) {
    let order = change.order
    if order.paymentStatus == .captured, orders[order.key]?.paymentStatus != .captured { captured.append(order.total) }
    orders[order.key] = order
    let text = encoder.order(order)
    if json.updateValue(text, forKey: order.key) == nil { changed.append(order.key) }
    writes.events.append(encoder.event(of: change, order: text, context: cause.context(at: now)))
    writes.history.append(
      HistoryEntry(
        order: order.key, version: order.version, status: order.status, previousStatus: change.previousStatus, paymentStatus: order.paymentStatus,
        at: now, actor: cause.actor, message: cause.message, reason: cause.reason))
    if let request = change.inventory { inventory.perform(request, for: order) }
  }

  mutating func audit(_ action: String, _ outcome: String, of order: OrderID?, _ cause: Cause, before: Order?, after: Order?) {
    writes.audit.append(
      AuditEntry(
        tenant: cause.tenant, at: now, actor: cause.actor, action: action, message: cause.message, order: order, outcome: outcome,
        correlationID: cause.correlationID, traceparent: cause.traceparent, before: before.map { .order(OrderState($0)) },
        after: after.map { .order(OrderState($0)) }))
  }

  func finish() -> (BatchWrites, BatchOutcome) {
    var writes = writes
    writes.inventory = inventory.writes
    // What only a payment moved makes no version, but is a row to write.
    let moved = payments.filter { json[$0.key] == nil && orders[$0.key] != nil && $0.value.isStoredUnlike(facts.payments[$0.key] ?? .none) }.map(\.key)
    for key in (changed + moved).sorted() {
      let row = OrderRow(order: orders[key]!, payments: payments(of: key))
      if facts.orders[key] != nil { writes.updated.append(row) } else { writes.created.append(row) }
    }
    let snapshots = changed.map { Snapshot(key: $0, version: orders[$0]!.version, json: json[$0]!) }
    let events = writes.events.map { event in
      PendingEvent(event: event, behind: facts.unsent[event.key.order] ?? [])
    }
    return (
      writes,
      BatchOutcome(
        dispositions: dispositions, events: events, snapshots: snapshots, replies: writes.replies, concluded: concluded, captured: captured,
        opensPayments: !writes.opened.isEmpty)
    )
  }
}

extension PaymentFacts {
  /// What is open is a row of its own, and counts by its number.
  fileprivate func isStoredUnlike(_ other: PaymentFacts) -> Bool {
    authorization != other.authorization || surplus != other.surplus || (open == nil && (other.open != nil || count != other.count))
  }
}
