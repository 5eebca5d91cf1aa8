/// `order.create`, every field checked.
package struct CreateOrder: Hashable, Sendable {
  package let order: OrderID
  /// Whether the sender chose `order`; else it was derived from the command's identity.
  package let choosesOrderID: Bool
  package let customer: CustomerID
  package let lines: [OrderLine]
  package let total: Money
  package let paymentMethod: PaymentMethod?
  package let confirm: Bool
  package let metadata: [MetadataEntry]

  /// Nil where the total overflows 2^63-1 minor units; `lines` has at least one line and one currency.
  package init?(
    order: OrderID, choosesOrderID: Bool, customer: CustomerID, currency: Currency, lines: [OrderLine], paymentMethod: PaymentMethod?, confirm: Bool,
    metadata: [MetadataEntry]
  ) {
    var total = Money.zero(currency)
    for line in lines {
      guard let sum = total.adding(line.total) else { return nil }
      total = sum
    }
    self.order = order
    self.choosesOrderID = choosesOrderID
    self.customer = customer
    self.lines = lines
    self.total = total
    self.paymentMethod = paymentMethod
    self.confirm = confirm
    self.metadata = metadata
  }
}

/// `order.update_status`.
package struct UpdateStatus: Hashable, Sendable {
  package let order: OrderID
  package let status: OrderStatus
  package let reason: String?
  package let expectedVersion: Int64?
  package let paymentMethod: PaymentMethod?

  package init(order: OrderID, status: OrderStatus, reason: String? = nil, expectedVersion: Int64? = nil, paymentMethod: PaymentMethod? = nil) {
    self.order = order
    self.status = status
    self.reason = reason
    self.expectedVersion = expectedVersion
    self.paymentMethod = paymentMethod
  }
}

package enum Command: Hashable, Sendable {
  case create(CreateOrder)
  case updateStatus(UpdateStatus)

  package var type: CommandType {
    switch self {
    case .create: .create
    case .updateStatus: .updateStatus
    }
  }

  /// Why, in the sender's words.
  package var reason: String? { if case .updateStatus(let command) = self { command.reason } else { nil } }

  package var order: OrderID {
    switch self {
    case .create(let command): command.order
    case .updateStatus(let command): command.order
    }
  }
}

/// The commands that there are, by their name without a version suffix.
package enum CommandType: String, Sendable, CaseIterable {
  case create = "order.create"
  case updateStatus = "order.update_status"
}
