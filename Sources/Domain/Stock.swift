/// Why a stock cannot be as asked.
package enum StockFault: Error, Hashable, Sendable {
  case negative
  /// More would be reserved than there is.
  case oversold
}

/// What there is of a product, and how much of it is promised to orders: 0 ≤ reserved ≤ on hand, always.
package struct Stock: Hashable, Sendable {
  package let onHand: Int64
  package let reserved: Int64

  package var available: Int64 { onHand - reserved }

  package init(onHand: Int64, reserved: Int64 = 0) throws(StockFault) {
    guard onHand >= 0, reserved >= 0 else { throw .negative }
    guard reserved <= onHand else { throw .oversold }
    self.onHand = onHand
    self.reserved = reserved
  }

  /// Of a product that nobody ever counted.
  package static let none = Stock()
  private init() {
    onHand = 0
    reserved = 0
  }

  package func applying(_ movement: StockMovement) throws(StockFault) -> Stock {
    let (onHand, tooMany) = self.onHand.addingReportingOverflow(movement.onHand)
    let (reserved, tooManyReserved) = self.reserved.addingReportingOverflow(movement.reserved)
    guard !tooMany, !tooManyReserved else { throw movement.reserved > 0 ? .oversold : .negative }
    return try Stock(onHand: onHand, reserved: reserved)
  }

  /// A new count of what is on hand; refused below what is reserved.
  package func counted(onHand: Int64) throws(StockFault) -> Stock { try Stock(onHand: onHand, reserved: reserved) }
}
