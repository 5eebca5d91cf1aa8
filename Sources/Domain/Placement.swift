/// What became of a new order: version 1 either way.
package enum Placement: Hashable, Sendable {
  case created(Change)
  case rejected(Change, Rejection)
}

extension Order {
  /// Makes version 1 of an order: `pending` with all of its lines reserved, or `rejected` with none.
  ///
  /// `available` is what may still be reserved of a product, 0 for one that is not known.
  package static func place(_ command: CreateOrder, tenant: TenantID, at: Timestamp, available: (ProductID) -> Int64) -> Placement {
    if command.lines.allSatisfy({ available($0.product) >= $0.quantity.value }) {
      return .created(first(of: command, .pending, tenant: tenant, at: at))
    }
    var shortages: [Fault] = []
    for (index, line) in command.lines.enumerated() {
      let left = available(line.product)
      if left < line.quantity.value { shortages.append(.shortage(of: line, at: index, available: left)) }
    }
    return .rejected(first(of: command, .rejected, tenant: tenant, at: at), .outOfStock(shortages))
  }

  /// Decides `order.create` whole: placed, and on to `confirmed` where the command says so.
  ///
  /// `existing` is an order that has the id already, made by another message.
  package static func decide(
    _ command: CreateOrder, existing: Order?, tenant: TenantID, at: Timestamp, available: (ProductID) -> Int64
  ) -> Decision {
    if existing != nil { return Decision([], .rejected(.alreadyExists(command.order)), .none) }
    switch place(command, tenant: tenant, at: at, available: available) {
    case .rejected(let change, let rejection): return Decision([change], .rejected(rejection), .none)
    case .created(let change):
      guard command.confirm else { return Decision([change], .accepted, .none) }
      do {
        let confirmed = try change.order.confirm(with: nil, payments: .none, at: at)
        return Decision([change] + confirmed.changes, asking: confirmed.operation, confirmed.answer, confirmed.payments)
      } catch {
        return Decision([change], .rejected(error), .none)
      }
    }
  }

  private static func first(of command: CreateOrder, _ status: OrderStatus, tenant: TenantID, at: Timestamp) -> Change {
    guard let row = TransitionTable.row(from: nil, to: status) else {
      preconditionFailure("The transition table has no way to begin as \(status)")
    }
    let order = Order(
      restoring: OrderKey(tenant: tenant, order: command.order), customer: command.customer, lines: command.lines, total: command.total,
      metadata: command.metadata, paymentMethod: command.paymentMethod, status: status, heldFrom: nil, paymentStatus: .none,
      reservation: row.inventory?.result ?? .none, version: 1, createdAt: at, updatedAt: at)
    return Change(order: order, previousStatus: nil, event: row.event, inventory: row.inventory)
  }
}
