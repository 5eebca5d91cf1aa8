import Domain

/// Who keeps the stock, as one batch sees it: what it was asked for is committed with the batch's orders, or not at all.
package protocol Inventory {
  /// What may still be reserved of a product; 0 of one that nobody has counted.
  func available(_ product: ProductKey) -> Int64

  /// Does what is asked for an order, once: the same request again, or one that the order's reservation is past, moves nothing.
  mutating func perform(_ request: InventoryRequest, for order: Order)

  var writes: InventoryWrites { get }
}

/// What the requests of a batch come to, as rows.
package struct InventoryWrites: Sendable {
  /// How much each product's levels rise or fall.
  package var levels: [ProductKey: StockLevel] = [:]
  /// Reservations that are new, and those that have gone on.
  package var made: [OrderKey: ReservationState] = [:]
  package var moved: [OrderKey: ReservationState] = [:]

  package init() {}
}
