package enum OrderStatus: String, Sendable, CaseIterable {
  case pending, confirmed, processing, shipped, delivered, cancelled, rejected, expired
  case onHold = "on_hold"
}

package enum PaymentStatus: String, Sendable, CaseIterable {
  case none, pending, authorized, captured, failed, voided, refunded
  case partiallyRefunded = "partially_refunded"
}

/// What the order holds of the stock.
package enum ReservationState: String, Sendable, CaseIterable {
  case none, held, allocated, fulfilled, released, expired
}
