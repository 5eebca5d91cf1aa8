/// What the shop's owner has settled about orders: decisions take it as given.
package struct OrderTerms: Sendable {
  package let payments: PaymentTerms
  /// How long a pending order holds its stock.
  package let reservationTTL: Duration

  package init(payments: PaymentTerms, reservationTTL: Duration = .seconds(900)) {
    self.payments = payments
    self.reservationTTL = reservationTTL
  }
}
