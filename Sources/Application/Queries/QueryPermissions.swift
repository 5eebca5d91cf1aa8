import Domain

/// Which role may read what: the one table that says so.
enum QueryPermissions {
  /// Nil where the sender may ask. Another's order is not refused but not found.
  static func refusal(of envelope: QueryEnvelope) -> QueryRefusal? {
    let principal = envelope.principal
    if principal.readsEveryOrder { return nil }
    guard principal.roles.contains(.customer) else { return QueryRefusal(.forbidden, "no role of the sender may read orders") }
    if case .list(let filter, _, _) = envelope.query, !principal.isCustomer(filter.customer) {
      return QueryRefusal(.forbidden, "a customer lists its own orders only")
    }
    return nil
  }
}

extension Principal {
  /// Whether it may read every order of its tenant.
  var readsEveryOrder: Bool { !roles.isDisjoint(with: [.service, .viewer, .operator]) }

  func mayRead(_ order: Order) -> Bool { order.key.tenant == tenant && (readsEveryOrder || isCustomer(order.customer)) }

  /// By bytes: `String` takes two spellings of `é` for one, and they are two customers.
  func isCustomer(_ customer: CustomerID) -> Bool { CustomerID(subject) == customer }
}
