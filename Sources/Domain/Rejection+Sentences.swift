/// The sentences of the refusals: each names what is wrong, and never a payment method.
extension Rejection {
  package static func notFound(_ order: OrderID) -> Rejection { Rejection(.notFound, "There is no order \(order).") }

  package static func alreadyExists(_ order: OrderID) -> Rejection {
    Rejection(.alreadyExists, "The order \(order) exists already: another message created it.")
  }

  static func outOfStock(_ shortages: [Fault]) -> Rejection {
    let first = shortages.first.map(\.message) ?? ""
    return Rejection(.outOfStock, shortages.count > 1 ? "\(first) \(shortages.count - 1) more of the items are short too." : first, details: shortages)
  }

  static func versionConflict(_ order: Order, expected: Int64) -> Rejection {
    Rejection(.versionConflict, "The order is at version \(order.version), not at the expected version \(expected).")
  }

  static func illegalTransition(_ order: Order, to status: OrderStatus) -> Rejection {
    let now = order.status.rawValue
    let message: String
    if status == order.status {
      message = "The order is \(now) already."
    } else if !TransitionTable.rows.contains(where: { $0.to == status && $0.cause == .update }) {
      message = "No command sets the status \(status.rawValue)."
    } else if order.status.isFinal {
      message = "The order is \(now), which is final: it cannot become \(status.rawValue)."
    } else {
      let possible = OrderStatus.allCases.filter { order.transition(to: $0, cause: .update) != nil }.map(\.rawValue).joined(separator: ", ")
      message = "An order that is \(now) cannot become \(status.rawValue); from here it may become: \(possible)."
    }
    return Rejection(.illegalTransition, message)
  }

  static func onlyWhilePending(_ order: Order, to status: OrderStatus) -> Rejection {
    Rejection(.illegalTransition, "A customer may only cancel an order, and only while it is pending; this one is \(order.status.rawValue).")
  }

  static func paymentMethodRequired(toConfirm order: Order) -> Rejection {
    Rejection(.paymentMethodRequired, "To confirm an order of \(order.total) a payment_method is needed, and neither the order nor this command has one.")
  }

  static func paymentMethodRequired(toShip order: Order) -> Rejection {
    Rejection(.paymentMethodRequired, "No authorised payment of \(order.total) is left for this order: to ship it, give a payment_method.")
  }

  static func paymentDeclined(_ amount: Money, code: String?) -> Rejection {
    Rejection(.paymentDeclined, "The payment of \(amount) was declined\(code.map { " (\($0))" } ?? "").")
  }

  static func paymentUnavailable(_ amount: Money) -> Rejection {
    Rejection(.paymentUnavailable, "The payment provider was not available for the payment of \(amount); nothing was charged.")
  }
}

extension Fault {
  static func shortage(of line: OrderLine, at index: Int, available: Int64) -> Fault {
    Fault(
      path: "items[\(index)].quantity", code: .outOfStock,
      message: "Of \(line.product) \(line.quantity.value) are requested and \(available) are available.", requested: line.quantity.value, available: available)
  }
}
