import Domain

/// Which role may send which command: the one table that says so. It never depends on an order's state.
package enum Permissions {
  /// Nil where the sender may; else why not.
  package static func refusal(of envelope: CommandEnvelope) -> Refusal? {
    let roles = envelope.principal.roles
    if roles.contains(.service) || roles.contains(.operator) { return nil }
    guard roles.contains(.customer) else { return refuse(envelope, "no role of the sender may send \(envelope.command.type.rawValue)") }
    switch envelope.command {
    case .create(let create):
      if create.customer.rawValue != envelope.principal.subject {
        return refuse(envelope, "a customer creates orders of its own only: customer_id is another's")
      }
      if create.choosesOrderID { return refuse(envelope, "a customer does not choose order_id") }
    case .updateStatus(let update):
      if update.status != .cancelled { return refuse(envelope, "a customer may set the status cancelled only") }
    }
    return nil
  }

  private static func refuse(_ envelope: CommandEnvelope, _ error: String) -> Refusal { Refusal(.forbidden, error, of: envelope) }
}
