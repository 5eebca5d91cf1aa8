import Application
import Domain
import PostgresClient

/// Queues a batch's rows on a pipeline: every insert sorted by its key, the claims last.
struct BatchWriter {
  let writes: BatchWrites
  let sent: [OutboxKey]
  let batch: UUIDValue
  let now: Timestamp
  let chain: AuditChain

  func add(to pipeline: inout Pipeline, audit: [AuditChain.Link]) {
    addOrders(to: &pipeline)
    addUpdates(to: &pipeline)
    addHistory(to: &pipeline)
    addStock(to: &pipeline)
    if !writes.audit.isEmpty { addAudit(audit, to: &pipeline) }
    if !sent.isEmpty { pipeline.append(BatchStatements.deleteOutbox, Self.outboxColumns(sent.sorted())) }
    addEvents(to: &pipeline)
    addClaims(to: &pipeline)
    pipeline.append(BatchStatements.commit, [])
  }

  private func addOrders(to pipeline: inout Pipeline) {
    guard !writes.created.isEmpty else { return }
    let count = writes.created.count
    var tenant = TextArray(capacity: count)
    var id = UUIDArray(capacity: count)
    var customer = TextArray(capacity: count)
    var status = TextArray(capacity: count)
    var heldFrom = TextArray(capacity: count)
    var payment = TextArray(capacity: count)
    var reservation = TextArray(capacity: count)
    var version = Int64Array(capacity: count)
    var currency = TextArray(capacity: count)
    var total = Int64Array(capacity: count)
    var method = TextArray(capacity: count)
    var metadata = TextArray(capacity: count)
    var created = TimestampArray(capacity: count)
    var updated = TimestampArray(capacity: count)
    var items = ItemColumns(capacity: count * 3)
    var reserved = ReservationColumns()
    for order in writes.created {
      tenant.append(order.key.tenant.rawValue)
      id.append(high: order.key.order.high, low: order.key.order.low)
      customer.append(order.customer.rawValue)
      status.append(order.status.rawValue)
      heldFrom.append(order.heldFrom?.rawValue)
      payment.append(order.paymentStatus.rawValue)
      reservation.append(order.reservation.rawValue)
      version.append(order.version)
      currency.append(order.currency.code)
      total.append(order.total.minorUnits)
      method.append(order.paymentMethod?.rawValue)
      var text: [UInt8] = []
      StoredMetadata.append(order.metadata, to: &text)
      metadata.append(utf8: text)
      created.append(order.createdAt.microseconds)
      updated.append(order.updatedAt.microseconds)
      items.append(order)
      if order.reservation != .none { reserved.append(order) }
    }
    pipeline.append(
      BatchStatements.insertOrders,
      Parameters([
        .array(tenant), .array(id), .array(customer), .array(status), .array(heldFrom), .array(payment), .array(reservation), .array(version),
        .array(currency), .array(total), .array(method), .array(metadata), .array(created), .array(updated),
      ]))
    pipeline.append(BatchStatements.insertItems, items.parameters)
    if !reserved.isEmpty { pipeline.append(BatchStatements.insertReservations, reserved.parameters) }
  }

  private func addUpdates(to pipeline: inout Pipeline) {
    guard !writes.updated.isEmpty else { return }
    var tenant = TextArray()
    var id = UUIDArray()
    var status = TextArray()
    var heldFrom = TextArray()
    var payment = TextArray()
    var reservation = TextArray()
    var version = Int64Array()
    var updated = TimestampArray()
    for order in writes.updated {
      tenant.append(order.key.tenant.rawValue)
      id.append(order.key.order)
      status.append(order.status.rawValue)
      heldFrom.append(order.heldFrom?.rawValue)
      payment.append(order.paymentStatus.rawValue)
      reservation.append(order.reservation.rawValue)
      version.append(order.version)
      updated.append(order.updatedAt.microseconds)
    }
    pipeline.append(
      BatchStatements.updateOrders,
      Parameters([
        .array(tenant), .array(id), .array(status), .array(heldFrom), .array(payment), .array(reservation), .array(version), .array(updated),
      ]))
    pipeline.append(BatchStatements.updateReservations, Parameters([.array(tenant), .array(id), .array(reservation)]))
  }

  private struct ItemColumns {
    var tenant: TextArray
    var order: UUIDArray
    var line: Int16Array
    var product: TextArray
    var quantity: Int64Array
    var price: Int64Array

    init(capacity: Int) {
      tenant = TextArray(capacity: capacity)
      order = UUIDArray(capacity: capacity)
      line = Int16Array(capacity: capacity)
      product = TextArray(capacity: capacity)
      quantity = Int64Array(capacity: capacity)
      price = Int64Array(capacity: capacity)
    }

    mutating func append(_ order: Order) {
      for (number, item) in order.lines.enumerated() {
        tenant.append(order.key.tenant.rawValue)
        self.order.append(high: order.key.order.high, low: order.key.order.low)
        line.append(Int16(number + 1))
        product.append(item.product.rawValue)
        quantity.append(item.quantity.value)
        price.append(item.unitPrice.minorUnits)
      }
    }

    var parameters: Parameters {
      Parameters([.array(tenant), .array(order), .array(line), .array(product), .array(quantity), .array(price)])
    }
  }

  private struct ReservationColumns {
    var tenant = TextArray()
    var order = UUIDArray()
    var state = TextArray()
    var created = TimestampArray()
    var isEmpty = true

    mutating func append(_ order: Order) {
      isEmpty = false
      tenant.append(order.key.tenant.rawValue)
      self.order.append(high: order.key.order.high, low: order.key.order.low)
      state.append(order.reservation.rawValue)
      created.append(order.createdAt.microseconds)
    }

    var parameters: Parameters { Parameters([.array(tenant), .array(order), .array(state), .array(created)]) }
  }

  private func addHistory(to pipeline: inout Pipeline) {
    guard !writes.history.isEmpty else { return }
    var tenant = TextArray()
    var order = UUIDArray()
    var version = Int64Array()
    var status = TextArray()
    var previous = TextArray()
    var payment = TextArray()
    var at = TimestampArray()
    var actor = TextArray()
    var message = TextArray()
    var reason = TextArray()
    for entry in writes.history.sorted(by: { $0.order != $1.order ? $0.order < $1.order : $0.version < $1.version }) {
      tenant.append(entry.order.tenant.rawValue)
      order.append(high: entry.order.order.high, low: entry.order.order.low)
      version.append(entry.version)
      status.append(entry.status.rawValue)
      previous.append(entry.previousStatus?.rawValue)
      payment.append(entry.paymentStatus.rawValue)
      at.append(entry.at.microseconds)
      actor.append(entry.actor)
      message.append(entry.message.rawValue)
      reason.append(entry.reason)
    }
    pipeline.append(
      BatchStatements.insertHistory,
      Parameters([
        .array(tenant), .array(order), .array(version), .array(status), .array(previous), .array(payment), .array(at), .array(actor), .array(message),
        .array(reason),
      ]))
  }

  private func addStock(to pipeline: inout Pipeline) {
    let moved = writes.stock.filter { $0.value.onHand != 0 || $0.value.reserved != 0 }.sorted { $0.key < $1.key }
    guard !moved.isEmpty else { return }
    var tenant = TextArray()
    var product = TextArray()
    var onHand = Int64Array()
    var reserved = Int64Array()
    for (key, level) in moved {
      tenant.append(key.tenant.rawValue)
      product.append(key.product.rawValue)
      onHand.append(level.onHand)
      reserved.append(level.reserved)
    }
    pipeline.append(BatchStatements.moveStock, Parameters([.array(tenant), .array(product), .array(onHand), .array(reserved)]))
  }

  private func addAudit(_ links: [AuditChain.Link], to pipeline: inout Pipeline) {
    var tenant = TextArray()
    var at = TimestampArray()
    var seq = Int64Array()
    var previousHash = ByteaArray()
    var hash = ByteaArray()
    var actor = TextArray()
    var action = TextArray()
    var message = TextArray()
    var order = UUIDArray()
    var outcome = TextArray()
    var correlation = TextArray()
    var traceparent = TextArray()
    var before = TextArray()
    var after = TextArray()
    for (entry, link) in zip(writes.audit, links) {
      tenant.append(entry.tenant.rawValue)
      at.append(entry.at.microseconds)
      seq.append(link.sequence)
      previousHash.append(link.previousHash)
      hash.append(link.hash)
      actor.append(entry.actor)
      action.append(entry.action)
      message.append(entry.message.rawValue)
      order.append(entry.order)
      outcome.append(entry.outcome)
      correlation.append(entry.correlationID)
      traceparent.append(entry.traceparent)
      before.append(link.before)
      after.append(link.after)
    }
    pipeline.append(
      BatchStatements.insertAudit,
      Parameters([
        .array(tenant), .array(at), .array(seq), .array(previousHash), .array(hash), .array(actor), .array(action), .array(message), .array(order),
        .array(outcome), .array(correlation), .array(traceparent), .array(before), .array(after), .uuid(high: chain.id.high, low: chain.id.low),
      ]))
  }

  private func addEvents(to pipeline: inout Pipeline) {
    guard !writes.events.isEmpty else { return }
    var tenant = TextArray()
    var order = UUIDArray()
    var version = Int64Array()
    var event = UUIDArray()
    var type = TextArray()
    var body = ByteaArray()
    for row in writes.events.sorted(by: { $0.key < $1.key }) {
      tenant.append(row.key.order.tenant.rawValue)
      order.append(high: row.key.order.order.high, low: row.key.order.order.low)
      version.append(row.key.version)
      event.append(high: row.key.event.high, low: row.key.event.low)
      type.append(row.type.rawValue)
      body.append(row.body)
    }
    pipeline.append(
      BatchStatements.insertOutbox, Parameters([.array(tenant), .array(order), .array(version), .array(event), .array(type), .array(body)]))
  }

  private func addClaims(to pipeline: inout Pipeline) {
    guard !writes.claims.isEmpty else { return }
    var tenant = TextArray()
    var message = TextArray()
    var order = UUIDArray()
    var outcome = TextArray()
    var type = TextArray()
    var subject = TextArray()
    var fingerprint = ByteaArray()
    var status = TextArray()
    var version = Int64Array()
    var rejection = TextArray()
    for (identity, claim) in writes.claims.map({ ($0.identity, $0.claim) }).sorted(by: { $0.0 < $1.0 }) {
      tenant.append(identity.tenant.rawValue)
      message.append(identity.message.rawValue)
      order.append(claim.result.order)
      outcome.append(claim.result.rejection == nil ? "accepted" : "rejected")
      type.append(claim.type.rawValue)
      subject.append(claim.subject)
      fingerprint.append(claim.fingerprint.bytes)
      status.append(claim.result.status?.rawValue)
      version.append(claim.result.version)
      rejection.append(claim.result.rejection.map(StoredRejection.encode))
    }
    pipeline.append(
      BatchStatements.insertClaims,
      Parameters([
        .array(tenant), .array(message), .array(order), .array(outcome), .array(type), .array(subject), .array(fingerprint), .array(status),
        .array(version), .array(rejection), .uuid(high: batch.high, low: batch.low), .timestamp(now.microseconds),
      ]))
  }

  static func outboxColumns(_ keys: [OutboxKey]) -> Parameters {
    var tenant = TextArray(capacity: keys.count)
    var order = UUIDArray(capacity: keys.count)
    var version = Int64Array(capacity: keys.count)
    var event = UUIDArray(capacity: keys.count)
    for key in keys {
      tenant.append(key.order.tenant.rawValue)
      order.append(high: key.order.order.high, low: key.order.order.low)
      version.append(key.version)
      event.append(high: key.event.high, low: key.event.low)
    }
    return Parameters([.array(tenant), .array(order), .array(version), .array(event)])
  }
}
