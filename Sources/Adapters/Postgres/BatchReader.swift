import Application
import Domain
import PostgresClient

/// Reads a batch's facts under its locks.
struct BatchReader {
  /// The facts, and the batch ids that the found claims were committed with.
  struct Found {
    var facts: BatchFacts
    var batches: Set<UUIDValue> = []
  }

  static func read(_ session: PostgresSession, _ keys: BatchKeys) throws(PostgresError) -> Found {
    let products = productColumns(keys.products)
    let first = try session.pipeline { pipeline in
      pipeline.add(BatchStatements.begin, Parameters())
      pipeline.add(BatchStatements.claims, identityColumns(keys.identities))
      pipeline.add(BatchStatements.lockOrders, orderColumns(keys.orders))
      if !keys.products.isEmpty { pipeline.add(BatchStatements.lockStock, products) }
      pipeline.add(BatchStatements.now, Parameters())
    }
    var found = Found(facts: BatchFacts(now: Timestamp(microseconds: try first[first.count - 1].timestamp(0, 0))))
    try readClaims(first[1], into: &found)
    if !keys.products.isEmpty { try readStock(first[3], into: &found.facts) }
    if first[2].rowCount > 0 { try readOrders(session, first[2], into: &found.facts) }
    return found
  }

  private static func readClaims(_ rows: ResultSet, into found: inout Found) throws(PostgresError) {
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(try rows.text(row, 0)), let message = MessageID(try rows.text(row, 1)),
        let type = CommandType(rawValue: try rows.text(row, 2))
      else { throw .unreadable("processed_commands") }
      let order = try rows.isNull(row, 6) ? nil : rows.uuidValue(row, 6)
      let status = try rows.isNull(row, 7) ? nil : OrderStatus(rawValue: rows.text(row, 7))
      let version = try rows.isNull(row, 8) ? nil : rows.int64(row, 8)
      let rejection = try rows.isNull(row, 9) ? nil : StoredRejection.decode(rows.text(row, 9))
      found.facts.claims[CommandIdentity(tenant: tenant, message: message)] = Claim(
        fingerprint: Fingerprint(try rows.bytes(row, 4)), subject: try rows.text(row, 3), type: type,
        result: CommandResult(order: order, status: status, version: version, rejection: rejection))
      found.batches.insert(try rows.uuidValue(row, 5))
    }
  }

  private static func readStock(_ rows: ResultSet, into facts: inout BatchFacts) throws(PostgresError) {
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(try rows.text(row, 0)), let product = ProductID(try rows.text(row, 1)) else { throw .unreadable("inventory") }
      facts.stock[ProductKey(tenant: tenant, product: product)] = StockLevel(onHand: try rows.int64(row, 2), reserved: try rows.int64(row, 3))
    }
  }

  /// Items and outbox rows are read after the orders are locked: READ COMMITTED shows what a transaction that held the lock wrote only to a
  /// later statement.
  private static func readOrders(_ session: PostgresSession, _ rows: ResultSet, into facts: inout BatchFacts) throws(PostgresError) {
    var stored: [(key: OrderKey, row: Int)] = []
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(try rows.text(row, 0)) else { throw .unreadable("orders") }
      stored.append((OrderKey(tenant: tenant, order: try rows.uuidValue(row, 1)), row))
    }
    let keys = orderColumns(stored.map(\.key))
    let second = try session.pipeline { pipeline in
      pipeline.add(BatchStatements.items, keys)
      pipeline.add(BatchStatements.unsent, keys)
    }
    var lines: [OrderKey: [(product: ProductID, quantity: Quantity, unitPrice: Int64)]] = [:]
    for row in 0..<second[0].rowCount {
      guard let tenant = TenantID(try second[0].text(row, 0)), let product = ProductID(try second[0].text(row, 2)),
        let quantity = Quantity(try second[0].int64(row, 3))
      else { throw .unreadable("order_items") }
      let key = OrderKey(tenant: tenant, order: try second[0].uuidValue(row, 1))
      lines[key, default: []].append((product, quantity, try second[0].int64(row, 4)))
    }
    for row in 0..<second[1].rowCount {
      guard let tenant = TenantID(try second[1].text(row, 0)) else { throw .unreadable("outbox") }
      let key = OrderKey(tenant: tenant, order: try second[1].uuidValue(row, 1))
      facts.unsent[key, default: []].append(
        OutboxKey(order: key, version: try second[1].int64(row, 2), event: try second[1].uuidValue(row, 3)))
    }
    for (key, row) in stored { facts.orders[key] = try order(key, rows, row, lines: lines[key] ?? []) }
  }

  private static func order(
    _ key: OrderKey, _ rows: ResultSet, _ row: Int, lines: [(product: ProductID, quantity: Quantity, unitPrice: Int64)]
  ) throws(PostgresError) -> Order {
    guard let customer = CustomerID(try rows.text(row, 2)), let status = OrderStatus(rawValue: try rows.text(row, 3)),
      let payment = PaymentStatus(rawValue: try rows.text(row, 5)), let reservation = ReservationState(rawValue: try rows.text(row, 6)),
      let currency = Currency(try rows.text(row, 8)), let metadata = StoredMetadata.decode(try rows.text(row, 11))
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
      restoring: key, customer: customer, lines: items, total: Money(minorUnits: try rows.int64(row, 9), currency: currency), metadata: metadata,
      paymentMethod: try rows.isNull(row, 10) ? nil : PaymentMethod(rows.text(row, 10)), status: status,
      heldFrom: try rows.isNull(row, 4) ? nil : OrderStatus(rawValue: rows.text(row, 4)), paymentStatus: payment, reservation: reservation,
      version: try rows.int64(row, 7), createdAt: Timestamp(microseconds: try rows.timestamp(row, 12)),
      updatedAt: Timestamp(microseconds: try rows.timestamp(row, 13)))
  }

  private static func identityColumns(_ identities: [CommandIdentity]) -> Parameters {
    var tenants = TextArray()
    var messages = TextArray()
    for identity in identities {
      tenants.append(identity.tenant.rawValue)
      messages.append(identity.message.rawValue)
    }
    return Parameters(.array(tenants), .array(messages))
  }

  private static func orderColumns(_ orders: [OrderKey]) -> Parameters {
    var tenants = TextArray()
    var ids = UUIDArray()
    for key in orders {
      tenants.append(key.tenant.rawValue)
      ids.append(key.order.high, key.order.low)
    }
    return Parameters(.array(tenants), .array(ids))
  }

  private static func productColumns(_ products: [ProductKey]) -> Parameters {
    var tenants = TextArray()
    var ids = TextArray()
    for key in products {
      tenants.append(key.tenant.rawValue)
      ids.append(key.product.rawValue)
    }
    return Parameters(.array(tenants), .array(ids))
  }
}
