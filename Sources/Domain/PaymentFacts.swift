/// The provider's name for an authorisation: 1 to 255 characters without control characters.
package struct AuthorizationID: TextIdentifier {
  package let rawValue: String
  package init?(_ text: String) {
    guard identifierFault(text, longest: 255) == nil else { return nil }
    rawValue = text
  }
}

/// An amount that the provider holds for an order, neither captured nor voided yet.
package struct PaymentAuthorization: Hashable, Sendable {
  package let id: AuthorizationID
  package let amount: Money
  package init(id: AuthorizationID, amount: Money) {
    self.id = id
    self.amount = amount
  }
}

package enum PaymentKind: String, Sendable, CaseIterable {
  case authorize, capture, void
}

/// What an operation is for, and so what follows its result.
package enum PaymentPurpose: String, Sendable, CaseIterable {
  case confirm, ship
  /// Shipping with another payment method after a failed one: void, authorise, capture, an operation after the other.
  case shipAnew = "ship_anew"
  /// The void after a cancelled order; nobody waits for it.
  case cancel
  /// The void of an authorisation that serves nothing; nobody waits for it, and it makes no version.
  case release
}

/// One call that the provider is to be asked for, until its result is known.
package struct PaymentOperation: Hashable, Sendable {
  /// Counts the operations of an order from 1: with the order's key it names this one for ever.
  package let number: Int
  package let kind: PaymentKind
  package let purpose: PaymentPurpose
  package let amount: Money
  /// What is authorised now, or once the old authorisation is voided.
  package let method: PaymentMethod?
  /// What is captured or voided.
  package let authorization: AuthorizationID?

  package init(
    number: Int, kind: PaymentKind, purpose: PaymentPurpose, amount: Money, method: PaymentMethod? = nil, authorization: AuthorizationID? = nil
  ) {
    self.number = number
    self.kind = kind
    self.purpose = purpose
    self.amount = amount
    self.method = method
    self.authorization = authorization
  }

  /// Whether a command waits for it. One that nobody waits for is not given up: somebody's money would stay held.
  package var isAwaited: Bool { purpose != .cancel && purpose != .release }
}

/// What is known of an operation in the end.
package enum PaymentResult: Hashable, Sendable {
  /// Authorised, captured or voided.
  case succeeded(AuthorizationID)
  /// With the provider's word for it.
  case declined(code: String?)
  /// The authorisation is in no state that allows it.
  case conflict
  /// Given up: it had no effect and will have none.
  case unavailable
}

/// What is known of an order's payments. Decisions take it as a fact and return it as it is after them.
package struct PaymentFacts: Hashable, Sendable {
  /// The live authorisation.
  package internal(set) var authorization: PaymentAuthorization?
  /// The one operation that is open; commands wait until it is settled.
  package internal(set) var open: PaymentOperation?
  /// Authorisations that serve nothing, and wait their turn to be voided.
  package internal(set) var surplus: [PaymentAuthorization]
  /// How many operations the order has had.
  package internal(set) var count: Int

  package init(authorization: PaymentAuthorization? = nil, open: PaymentOperation? = nil, surplus: [PaymentAuthorization] = [], count: Int = 0) {
    self.authorization = authorization
    self.open = open
    self.surplus = surplus
    self.count = count
  }

  /// Of an order that never needed the provider.
  package static let none = PaymentFacts()

  mutating func authorize(_ amount: Money, method: PaymentMethod, for purpose: PaymentPurpose) -> PaymentOperation {
    begin(.authorize, purpose, amount, method: method)
  }

  mutating func capture(_ live: PaymentAuthorization, for purpose: PaymentPurpose) -> PaymentOperation {
    begin(.capture, purpose, live.amount, authorization: live.id)
  }

  mutating func void(_ live: PaymentAuthorization, for purpose: PaymentPurpose, thenWith method: PaymentMethod? = nil) -> PaymentOperation {
    begin(.void, purpose, live.amount, method: method, authorization: live.id)
  }

  /// What was live before serves nothing any more.
  mutating func replaceAuthorization(with live: PaymentAuthorization?) {
    if let old = authorization { surplus.append(old) }
    authorization = live
  }

  /// The void of what has waited longest, where nothing else is open.
  mutating func voidSurplus() -> PaymentOperation? {
    guard open == nil, !surplus.isEmpty else { return nil }
    return void(surplus.removeFirst(), for: .release)
  }

  private mutating func begin(
    _ kind: PaymentKind, _ purpose: PaymentPurpose, _ amount: Money, method: PaymentMethod? = nil, authorization: AuthorizationID? = nil
  ) -> PaymentOperation {
    count += 1
    let operation = PaymentOperation(number: count, kind: kind, purpose: purpose, amount: amount, method: method, authorization: authorization)
    open = operation
    return operation
  }
}
