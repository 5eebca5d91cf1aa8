/// A row of the contract's table of transitions, with what goes with it; written from the contract, and not read from the domain.
struct ExpectedTransition: Sendable {
  let from: Situation
  let to: String
  let event: String
  /// The axes that change, for an order that is paid.
  var reservation: String?
  var payment: String?
  var onHand: Int64 = 0
  var reserved: Int64 = 0
  /// Whether an authorisation is voided afterwards, as one more version.
  var voids = false

  static let all: [ExpectedTransition] = [
    .init(from: .pending, to: "confirmed", event: "order.confirmed", reservation: "allocated", payment: "authorized"),
    .init(from: .pending, to: "cancelled", event: "order.cancelled", reservation: "released", reserved: -2),
    .init(from: .confirmed, to: "processing", event: "order.processing"),
    .init(from: .confirmed, to: "on_hold", event: "order.on_hold"),
    .init(from: .confirmed, to: "cancelled", event: "order.cancelled", reservation: "released", reserved: -2, voids: true),
    .init(from: .heldFromConfirmed, to: "confirmed", event: "order.resumed"),
    .init(from: .heldFromConfirmed, to: "cancelled", event: "order.cancelled", reservation: "released", reserved: -2, voids: true),
    .init(from: .heldFromProcessing, to: "processing", event: "order.resumed"),
    .init(from: .heldFromProcessing, to: "cancelled", event: "order.cancelled", reservation: "released", reserved: -2, voids: true),
    .init(from: .processing, to: "shipped", event: "order.shipped", reservation: "fulfilled", payment: "captured", onHand: -2, reserved: -2),
    .init(from: .processing, to: "on_hold", event: "order.on_hold"),
    .init(from: .processing, to: "cancelled", event: "order.cancelled", reservation: "released", reserved: -2, voids: true),
    .init(from: .shipped, to: "delivered", event: "order.delivered"),
  ]

  /// Every word that a command may name, those that no command sets too.
  static let statuses = ["pending", "confirmed", "on_hold", "processing", "shipped", "delivered", "cancelled", "rejected", "expired"]

  /// The versions that follow, each with its event.
  func versions(after start: Standing, paid: Bool) -> [(event: String, standing: Standing)] {
    var next = start
    next.status = to
    next.version += 1
    if let reservation { next.reservation = reservation }
    if let payment, paid { next.payment = payment }
    next.onHand += onHand
    next.reserved += reserved
    var versions = [(event: event, standing: next)]
    if voids && paid {
      next.version += 1
      next.payment = "voided"
      versions.append((event: "order.payment_voided", standing: next))
    }
    return versions
  }
}
