/// A line of an order: so many pieces of a product, at a price each.
package struct OrderLine: Hashable, Sendable {
  package let product: ProductID
  package let quantity: Quantity
  package let unitPrice: Money
  package let total: Money

  /// Nil where the line's total overflows.
  package init?(product: ProductID, quantity: Quantity, unitPrice: Money) {
    guard let total = unitPrice.times(quantity) else { return nil }
    self.product = product
    self.quantity = quantity
    self.unitPrice = unitPrice
    self.total = total
  }
}

/// A pair of the sender's own words on an order.
package struct MetadataEntry: Hashable, Sendable {
  package let key: String
  package let value: String
  package init(key: String, value: String) {
    self.key = key
    self.value = value
  }
}

/// An order as it is at one version. Only the domain's decisions make a next version.
package struct Order: Hashable, Sendable {
  package let key: OrderKey
  package let customer: CustomerID
  package let lines: [OrderLine]
  package let total: Money
  package let metadata: [MetadataEntry]
  /// The method given with the create; an update may bring another.
  package let paymentMethod: PaymentMethod?
  package let createdAt: Timestamp

  package internal(set) var status: OrderStatus
  /// While on hold: the status that it came from and may go back to.
  package internal(set) var heldFrom: OrderStatus?
  package internal(set) var paymentStatus: PaymentStatus
  package internal(set) var reservation: ReservationState
  package internal(set) var version: Int64
  package internal(set) var updatedAt: Timestamp

  package var currency: Currency { total.currency }

  /// An order as a store has it. Nothing is decided here.
  package init(
    restoring key: OrderKey, customer: CustomerID, lines: [OrderLine], total: Money, metadata: [MetadataEntry], paymentMethod: PaymentMethod?,
    status: OrderStatus, heldFrom: OrderStatus?, paymentStatus: PaymentStatus, reservation: ReservationState, version: Int64,
    createdAt: Timestamp, updatedAt: Timestamp
  ) {
    self.key = key
    self.customer = customer
    self.lines = lines
    self.total = total
    self.metadata = metadata
    self.paymentMethod = paymentMethod
    self.status = status
    self.heldFrom = heldFrom
    self.paymentStatus = paymentStatus
    self.reservation = reservation
    self.version = version
    self.createdAt = createdAt
    self.updatedAt = updatedAt
  }
}
