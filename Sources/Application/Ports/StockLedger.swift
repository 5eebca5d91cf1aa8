import Domain

/// A product's levels, for those who look.
package struct StockRow: Sendable, Equatable {
  package let product: ProductID
  package let level: StockLevel
  package init(product: ProductID, level: StockLevel) {
    self.product = product
    self.level = level
  }
}

/// How much of a product somebody counted on the shelf.
package struct StockCount: Sendable, Equatable {
  package let product: ProductID
  package let onHand: Int64
  package init(product: ProductID, onHand: Int64) {
    self.product = product
    self.onHand = onHand
  }
}

package enum StockLedgerError: Error, Sendable, Equatable {
  /// Orders hold more of these than was counted. Nothing was changed.
  case belowReserved([StockRow])
  /// There is no place for stock yet.
  case notSetUp
  case store(StoreError)
}

/// The built-in stock, as those who run the shop see it and count it.
package protocol StockLedger: Sendable {
  /// All products of a tenant, by name.
  func list(tenant: TenantID) async throws(StockLedgerError) -> [StockRow]
  /// Sets what is on hand of these products, each named once: of all or, on any fault, of none. A product not named keeps what it has.
  /// Returns how those products then stand, in no order.
  /// The audit log tells of each, by whom and what it was before.
  func set(_ counts: [StockCount], tenant: TenantID, by actor: String, at now: Timestamp) async throws(StockLedgerError) -> [StockRow]
}
