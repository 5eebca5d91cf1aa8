import Application
import Domain
import PostgresClient

/// Queues a batch's rows on a pipeline: orders and claims sorted by their keys, so that two transactions meet them in one order, the claims last.
/// Whatever hangs on an order is guarded by the order.
struct BatchWriter {
  let writes: BatchWrites
  let sent: [OutboxKey]
  let batch: UUIDValue
  let now: Timestamp
  /// As it is with the batch's rows.
  let chain: AuditChain

  func add(to pipeline: inout Pipeline, audit: [AuditChain.Link]) {
    addOrders(to: &pipeline)
    addUpdates(to: &pipeline)
    addHistory(to: &pipeline)
    addInventory(to: &pipeline)
    if !writes.audit.isEmpty { AuditRows.append(writes.audit, audit, of: chain, to: &pipeline) }
    if !sent.isEmpty { pipeline.append(BatchStatements.deleteOutbox, Self.outboxColumns(sent.sorted())) }
    addOutbox(to: &pipeline)
    addPayments(to: &pipeline)
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
    var payments = TextArray(capacity: count)
    var items = ItemColumns(capacity: count * 3)
    for row in writes.created {
      let order = row.order
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
      payments.append(StoredPaymentFacts.encode(row.payments))
      items.append(order)
    }
    pipeline.append(
      BatchStatements.insertOrders,
      Parameters([
        .array(tenant), .array(id), .array(customer), .array(status), .array(heldFrom), .array(payment), .array(reservation), .array(version),
        .array(currency), .array(total), .array(method), .array(metadata), .array(created), .array(updated), .array(payments),
      ]))
    pipeline.append(BatchStatements.insertItems, items.parameters)
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
    var payments = TextArray()
    for row in writes.updated {
      let order = row.order
      tenant.append(order.key.tenant.rawValue)
      id.append(order.key.order)
      status.append(order.status.rawValue)
      heldFrom.append(order.heldFrom?.rawValue)
      payment.append(order.paymentStatus.rawValue)
      reservation.append(order.reservation.rawValue)
      version.append(order.version)
      updated.append(order.updatedAt.microseconds)
      payments.append(StoredPaymentFacts.encode(row.payments))
    }
    pipeline.append(
      BatchStatements.updateOrders,
      Parameters([
        .array(tenant), .array(id), .array(status), .array(heldFrom), .array(payment), .array(reservation), .array(version), .array(updated),
        .array(payments),
      ]))
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
}
