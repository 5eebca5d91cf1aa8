import Application
import Domain
import PostgresClient

/// Reads a batch's facts under its locks.
struct BatchReader {
  /// The facts, and the batch ids that the found claims were committed with.
  struct Found {
    var facts: BatchFacts
    /// The transaction's own id.
    let transaction: Int64
    var batches: Set<UUIDValue> = []
  }

  /// `tenants` are those of the keys, and of what else the transaction is to touch.
  static func read(_ session: PostgresSession, _ keys: BatchKeys, tenants: Set<TenantID>) throws(PostgresError) -> Found {
    // Stock is locked after the orders, all of it at once: where the orders' own products matter, only when they are known.
    let locksStock = !keys.products.isEmpty && !keys.changesOrders
    let first = try session.pipeline { pipeline in
      pipeline.append(BatchStatements.begin)
      TenantScope.append(tenants, to: &pipeline)
      pipeline.append(BatchStatements.claims, identityColumns(keys.identities))
      pipeline.append(BatchStatements.lockOrders, orderColumns(keys.orders))
      if locksStock { pipeline.append(BatchStatements.lockStock, productColumns(keys.products)) }
      pipeline.append(BatchStatements.now)
    }
    let last = first[first.count - 1]
    var found = Found(facts: BatchFacts(now: Timestamp(microseconds: last.timestamp(0, 0))), transaction: last.int64(0, 1))
    try readClaims(first[2], into: &found)
    if locksStock { try readStock(first[4], into: &found.facts) }
    if first[3].rowCount > 0 { try readOrders(session, first[3], keys, into: &found.facts) }
    if keys.changesOrders {
      var products = Set(keys.products)
      for (key, order) in found.facts.orders { for line in order.lines { products.insert(ProductKey(tenant: key.tenant, product: line.product)) } }
      if !products.isEmpty { try readStock(session.query(BatchStatements.lockStock, productColumns(products.sorted())), into: &found.facts) }
    }
    return found
  }

  private static func readClaims(_ rows: ResultSet, into found: inout Found) throws(PostgresError) {
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(rows.text(row, 0)), let message = MessageID(rows.text(row, 1)),
        let type = CommandType(rawValue: rows.text(row, 2))
      else { throw .unreadable("processed_commands") }
      let order = rows.isNull(row, 6) ? nil : rows.uuidValue(row, 6)
      let status = rows.isNull(row, 7) ? nil : OrderStatus(rawValue: rows.text(row, 7))
      let version = rows.isNull(row, 8) ? nil : rows.int64(row, 8)
      let outcome = rows.isNull(row, 10) ? nil : rows.text(row, 10)
      let rejection = rows.isNull(row, 9) ? nil : StoredRejection.decode(rows.text(row, 9))
      guard (outcome == "rejected") == (rejection != nil) else { throw .unreadable("processed_commands") }
      found.facts.claims[CommandIdentity(tenant: tenant, message: message)] = Claim(
        fingerprint: Fingerprint(rows.bytes(row, 4)), subject: rows.text(row, 3), type: type,
        result: outcome.map { _ in CommandResult(order: order, status: status, version: version, rejection: rejection) })
      found.batches.insert(rows.uuidValue(row, 5))
    }
  }

  private static func readStock(_ rows: ResultSet, into facts: inout BatchFacts) throws(PostgresError) {
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(rows.text(row, 0)), let product = ProductID(rows.text(row, 1)) else { throw .unreadable("inventory") }
      facts.stock[ProductKey(tenant: tenant, product: product)] = StockLevel(onHand: rows.int64(row, 2), reserved: rows.int64(row, 3))
    }
  }

  /// Items, payments and outbox rows are read after the orders are locked: READ COMMITTED shows what a transaction that held the lock wrote only to a
  /// later statement.
  private static func readOrders(
    _ session: PostgresSession, _ rows: ResultSet, _ wanted: BatchKeys, into facts: inout BatchFacts
  ) throws(PostgresError) {
    var stored: [(key: OrderKey, row: Int)] = []
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(rows.text(row, 0)) else { throw .unreadable("orders") }
      stored.append((OrderKey(tenant: tenant, order: rows.uuidValue(row, 1)), row))
    }
    let keys = orderColumns(stored.map(\.key))
    let second = try session.pipeline { pipeline in
      pipeline.append(BatchStatements.items, keys)
      pipeline.append(BatchStatements.unsent, keys)
      if wanted.changesOrders { pipeline.append(PaymentStatements.open, keys) }
      if !wanted.payments.isEmpty { pipeline.append(PaymentStatements.settledByKey, PaymentRows.columns(wanted.payments)) }
    }
    let lines = try lines(second[0])
    for key in try outboxKeys(second[1]) { facts.unsent[key.order, default: []].append(key) }
    for (key, row) in stored {
      facts.orders[key] = try order(key, rows, row, lines: lines[key] ?? [])
      if !rows.isNull(row, 14) {
        guard let payments = StoredPaymentFacts.decode(rows.text(row, 14), currency: facts.orders[key]!.currency) else { throw .unreadable("orders") }
        facts.payments[key] = payments
      }
    }
    for payments in second[2...] { try PaymentRows.read(payments, into: &facts) }
  }

  typealias Line = (product: ProductID, quantity: Quantity, unitPrice: Int64)

  static func lines(_ rows: ResultSet) throws(PostgresError) -> [OrderKey: [Line]] {
    var lines: [OrderKey: [Line]] = [:]
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(rows.text(row, 0)), let product = ProductID(rows.text(row, 2)), let quantity = Quantity(rows.int64(row, 3))
      else { throw .unreadable("order_items") }
      lines[OrderKey(tenant: tenant, order: rows.uuidValue(row, 1)), default: []].append((product, quantity, rows.int64(row, 4)))
    }
    return lines
  }

  static func outboxKeys(_ rows: ResultSet) throws(PostgresError) -> [OutboxKey] {
    var keys: [OutboxKey] = []
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(rows.text(row, 0)) else { throw .unreadable("outbox") }
      keys.append(
        OutboxKey(order: OrderKey(tenant: tenant, order: rows.uuidValue(row, 1)), version: rows.int64(row, 2), event: rows.uuidValue(row, 3)))
    }
    return keys
  }

  static func order(
    _ key: OrderKey, _ rows: ResultSet, _ row: Int, lines: [Line]
  ) throws(PostgresError) -> Order {
    guard let customer = CustomerID(rows.text(row, 2)), let status = OrderStatus(rawValue: rows.text(row, 3)),
      let payment = PaymentStatus(rawValue: rows.text(row, 5)), let reservation = ReservationState(rawValue: rows.text(row, 6)),
      let currency = Currency(rows.text(row, 8)), let metadata = StoredMetadata.decode(rows.text(row, 11))
    else { throw .unreadable("orders") }
    var items: [OrderLine] = []
    for line in lines {
      guard
        let item = OrderLine(
          product: line.product, quantity: line.quantity, unitPrice: Money(minorUnits: line.unitPrice, currency: currency))
      else { throw .unreadable("order_items") }
      items.append(item)
    }
    return Order(
      restoring: key, customer: customer, lines: items, total: Money(minorUnits: rows.int64(row, 9), currency: currency), metadata: metadata,
      paymentMethod: rows.isNull(row, 10) ? nil : PaymentMethod(rows.text(row, 10)), status: status,
      heldFrom: rows.isNull(row, 4) ? nil : OrderStatus(rawValue: rows.text(row, 4)), paymentStatus: payment, reservation: reservation,
      version: rows.int64(row, 7), createdAt: Timestamp(microseconds: rows.timestamp(row, 12)),
      updatedAt: Timestamp(microseconds: rows.timestamp(row, 13)))
  }

  private static func identityColumns(_ identities: [CommandIdentity]) -> Parameters {
    var tenants = TextArray()
    var messages = TextArray()
    for identity in identities {
      tenants.append(identity.tenant.rawValue)
      messages.append(identity.message.rawValue)
    }
    return Parameters([.array(tenants), .array(messages)])
  }

  static func orderColumns(_ orders: [OrderKey]) -> Parameters {
    var tenants = TextArray()
    var ids = UUIDArray()
    for key in orders {
      tenants.append(key.tenant.rawValue)
      ids.append(high: key.order.high, low: key.order.low)
    }
    return Parameters([.array(tenants), .array(ids)])
  }

  private static func productColumns(_ products: [ProductKey]) -> Parameters {
    var tenants = TextArray()
    var ids = TextArray()
    for key in products {
      tenants.append(key.tenant.rawValue)
      ids.append(key.product.rawValue)
    }
    return Parameters([.array(tenants), .array(ids)])
  }
}
