package enum EventType: String, Sendable, CaseIterable {
  case created = "order.created"
  case rejected = "order.rejected"
  case confirmed = "order.confirmed"
  case processing = "order.processing"
  case shipped = "order.shipped"
  case delivered = "order.delivered"
  case onHold = "order.on_hold"
  case resumed = "order.resumed"
  case cancelled = "order.cancelled"
  case expired = "order.expired"
  case paymentFailed = "order.payment_failed"
  case paymentPending = "order.payment_pending"
  case paymentVoided = "order.payment_voided"
  /// Of a refused command that made no version.
  case commandRejected = "order.command_rejected"
}

/// What a change moves in the stock of one product: differences of what is on hand and of what is reserved.
package struct StockMovement: Hashable, Sendable {
  package let product: ProductID
  package let onHand: Int64
  package let reserved: Int64
  package init(product: ProductID, onHand: Int64 = 0, reserved: Int64 = 0) {
    self.product = product
    self.onHand = onHand
    self.reserved = reserved
  }
}

/// One new version of an order, and everything that belongs to it.
package struct Change: Hashable, Sendable {
  package let order: Order
  package let previousStatus: OrderStatus?
  package let event: EventType
  /// What the inventory does with it.
  package let inventory: InventoryRequest?

  package init(order: Order, previousStatus: OrderStatus?, event: EventType, inventory: InventoryRequest? = nil) {
    self.order = order
    self.previousStatus = previousStatus
    self.event = event
    self.inventory = inventory
  }
}
