/// What an inventory is asked to do with the stock of one order, always for all of its lines.
package enum InventoryRequest: Hashable, Sendable, CaseIterable {
  /// Sets the pieces aside, where there are enough of each.
  case reserve
  /// Keeps them beyond the time that a reservation lasts.
  case allocate
  /// They are anybody's again.
  case release
  /// The same, since their time is over.
  case expire
  /// They leave the house.
  case fulfil

  package var result: ReservationState {
    switch self {
    case .reserve: .held
    case .allocate: .allocated
    case .release: .released
    case .expire: .expired
    case .fulfil: .fulfilled
    }
  }

  /// Whether it has anything to do for an order in this state. Asked twice it has not: a request has one effect on an order.
  package func applies(to state: ReservationState) -> Bool {
    switch self {
    case .reserve: state == .none
    case .allocate, .expire: state == .held
    case .release: state == .held || state == .allocated
    case .fulfil: state == .allocated
    }
  }

  package func movements(of lines: [OrderLine]) -> [StockMovement] {
    switch self {
    case .reserve: lines.map { StockMovement(product: $0.product, reserved: $0.quantity.value) }
    case .allocate: []
    case .release, .expire: lines.map { StockMovement(product: $0.product, reserved: -$0.quantity.value) }
    case .fulfil: lines.map { StockMovement(product: $0.product, onHand: -$0.quantity.value, reserved: -$0.quantity.value) }
    }
  }
}
