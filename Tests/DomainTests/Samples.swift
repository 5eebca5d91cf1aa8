import Domain

/// Orders for tests, built as a store would restore them.
enum Sample {
  static let tenant = TenantID.standard
  static let customer = CustomerID("customer-1")!
  static let usd = Currency("USD")!
  static let method = PaymentMethod("pm_create")!
  static let product = ProductID("product-1")!
  static let other = ProductID("product-2")!
  static let id = OrderID("0b8f1d2e-0000-4000-8000-00000000abcd")!
  static let start = Timestamp(microseconds: 1_750_000_000_000_000)
  static let later = start + .seconds(60)
  static let service = Principal(subject: "shop", roles: [.service], tenant: tenant)
  static let buyer = Principal(subject: "customer-1", roles: [.customer], tenant: tenant)

  static func lines(price: Int64) -> [OrderLine] {
    [
      OrderLine(product: product, quantity: Quantity(2)!, unitPrice: Money(minorUnits: price, currency: usd))!,
      OrderLine(product: other, quantity: Quantity(3)!, unitPrice: Money(minorUnits: 0, currency: usd))!,
    ]
  }

  static func create(
    price: Int64 = 500, method: PaymentMethod? = method, confirm: Bool = false, lines: [OrderLine]? = nil, order: OrderID = id
  ) -> CreateOrder {
    CreateOrder(
      order: order, choosesOrderID: false, customer: customer, currency: usd, lines: lines ?? self.lines(price: price), paymentMethod: method,
      confirm: confirm, metadata: [MetadataEntry(key: "channel", value: "web")])!
  }

  static func order(
    _ status: OrderStatus, heldFrom: OrderStatus? = nil, payment: PaymentStatus = .none, price: Int64 = 500, method: PaymentMethod? = method,
    version: Int64 = 7, reservation: ReservationState? = nil
  ) -> Order {
    let lines = lines(price: price)
    let total = Money(minorUnits: 2 * price, currency: usd)
    return Order(
      restoring: OrderKey(tenant: tenant, order: id), customer: customer, lines: lines, total: total, metadata: [], paymentMethod: method, status: status,
      heldFrom: heldFrom, paymentStatus: payment, reservation: reservation ?? self.reservation(in: status), version: version, createdAt: start,
      updatedAt: start)
  }

  static func reservation(in status: OrderStatus) -> ReservationState {
    switch status {
    case .pending: .held
    case .confirmed, .processing, .onHold: .allocated
    case .shipped, .delivered: .fulfilled
    case .cancelled: .released
    case .expired: .expired
    case .rejected: .none
    }
  }

  static func authorization(_ id: String = "auth-1", _ units: Int64 = 1_000) -> PaymentAuthorization {
    PaymentAuthorization(id: AuthorizationID(id)!, amount: Money(minorUnits: units, currency: usd))
  }
}

extension Verdict {
  var decision: Decision? {
    if case .decided(let decision) = self { decision } else { nil }
  }
}

extension Change {
  var stock: [StockMovement] { inventory?.movements(of: order.lines) ?? [] }

  /// All that the change says, on one line: `v2 pending>confirmed authorized allocated order.confirmed`, with the stock's movements where there are any.
  var line: String {
    let moved = stock.map { " \($0.product):\($0.onHand)/\($0.reserved)" }.joined()
    let from = previousStatus?.rawValue ?? "-"
    return
      "v\(order.version) \(from)>\(order.status.rawValue) \(order.paymentStatus.rawValue) \(order.reservation.rawValue) \(event.rawValue)\(moved)"
  }
}

extension PaymentOperation {
  /// `authorize pm_create 1000 confirm`, `capture auth-1 1000 ship`.
  var line: String {
    [kind.rawValue, authorization?.rawValue, method?.rawValue, String(amount.minorUnits), purpose.rawValue].compactMap(\.self).joined(separator: " ")
  }
}

extension Decision {
  /// Its changes, what it asks the provider for, and its answer, in this order.
  var lines: [String] {
    var lines = changes.map(\.line)
    if let operation { lines.append("ask \(operation.line)") }
    switch answer {
    case .accepted: lines.append("accepted")
    case .rejected(let rejection): lines.append("rejected \(rejection.code.rawValue)")
    case nil: break
    }
    return lines
  }
}
