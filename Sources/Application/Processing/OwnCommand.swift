import Domain

/// A command of the worker's own. It makes no claim and no rejection, and does nothing where it no longer applies.
package enum OwnCommand: Sendable {
  case paymentAnswered(PaymentReport)
  /// The order's reservation may have run out.
  case expire(OrderKey)

  var order: OrderKey {
    switch self {
    case .paymentAnswered(let report): report.key.order
    case .expire(let order): order
    }
  }
}
