import Domain

/// What somebody may want to do.
package enum Act: String, Sendable, CaseIterable {
  case createOrder, chooseOrderID, cancelOrder, updateOrder, readOrders, handleDeadLetters, countStock, readAudit
}

/// Whose orders somebody may do it with.
package enum Reach: Int, Sendable, Comparable {
  case none, own, tenant
  package static func < (a: Self, b: Self) -> Bool { a.rawValue < b.rawValue }
}

/// Who may do what: the one table that says so. It never depends on an order's state, and nobody reaches another tenant.
package enum Permissions {
  private static let table: [(Act, customer: Reach, service: Reach, viewer: Reach, operator: Reach)] = [
    (.createOrder, .own, .tenant, .none, .tenant),
    (.chooseOrderID, .none, .tenant, .none, .tenant),
    (.cancelOrder, .own, .tenant, .none, .tenant),  // a customer's only while it is pending, which the domain says
    (.updateOrder, .none, .tenant, .none, .tenant),
    (.readOrders, .own, .tenant, .tenant, .tenant),
    (.handleDeadLetters, .none, .none, .none, .tenant),
    (.countStock, .none, .none, .none, .tenant),
    (.readAudit, .none, .none, .none, .tenant),
  ]

  package static func reach(of role: Role, in act: Act) -> Reach {
    let row = table.first { $0.0 == act }!  // a test goes through all acts
    return switch role {
    case .customer: row.customer
    case .service: row.service
    case .viewer: row.viewer
    case .operator: row.operator
    }
  }

  /// As far as any of the principal's roles reaches.
  package static func reach(of principal: Principal, in act: Act) -> Reach { principal.roles.map { reach(of: $0, in: act) }.max() ?? .none }

  // MARK: commands

  /// Nil where the sender may; else why not.
  package static func refusal(of envelope: CommandEnvelope) -> Refusal? {
    // One of an expired token is refused for that, once it is known not to be done already.
    if envelope.tokenExpired != nil { return nil }
    let principal = envelope.principal
    switch envelope.command {
    case .create(let create):
      switch reach(of: principal, in: .createOrder) {
      case .none: return noRole(envelope)
      case .own where !principal.isCustomer(create.customer):
        return refuse(envelope, "a customer creates orders of its own only: customer_id is another's")
      case .own, .tenant: break
      }
      if create.choosesOrderID, reach(of: principal, in: .chooseOrderID) == .none { return refuse(envelope, "a customer does not choose order_id") }
    case .updateStatus(let update):
      // Whose order it is is not known yet: another's is not found.
      let act = update.status == .cancelled ? Act.cancelOrder : .updateOrder
      guard reach(of: principal, in: act) == .none else { return nil }
      if reach(of: principal, in: .cancelOrder) == .none { return noRole(envelope) }
      return refuse(envelope, "a customer may set the status cancelled only")
    }
    return nil
  }

  private static func noRole(_ envelope: CommandEnvelope) -> Refusal {
    refuse(envelope, "no role of the sender may send \(envelope.command.type.rawValue)")
  }

  private static func refuse(_ envelope: CommandEnvelope, _ error: String) -> Refusal { Refusal(.forbidden, error, of: envelope) }

  // MARK: queries

  /// Nil where the sender may ask. Another's order is not refused but not found.
  static func refusal(of envelope: QueryEnvelope) -> QueryRefusal? {
    switch reach(of: envelope.principal, in: .readOrders) {
    case .none: return QueryRefusal(.forbidden, "no role of the sender may read orders")
    case .own:
      guard case .list(let filter, _, _) = envelope.query, !envelope.principal.isCustomer(filter.customer) else { return nil }
      return QueryRefusal(.forbidden, "a customer lists its own orders only")
    case .tenant: return nil
    }
  }
}

extension Principal {
  /// Whether it may read every order of its tenant.
  var readsEveryOrder: Bool { Permissions.reach(of: self, in: .readOrders) == .tenant }

  func mayRead(_ order: Order) -> Bool { order.key.tenant == tenant && (readsEveryOrder || isCustomer(order.customer)) }

  /// By bytes: `String` takes two spellings of `é` for one, and they are two customers.
  func isCustomer(_ customer: CustomerID) -> Bool { CustomerID(subject) == customer }
}
