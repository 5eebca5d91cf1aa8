import Domain
import TestSupport
import Testing

@testable import Application

@Suite struct BuiltInInventoryTests {
  private static let tenant = TenantID("default")!

  private static func order(_ number: UInt64, _ quantity: Int64, reservation: ReservationState = .none) -> Order {
    let money = Money(minorUnits: 100, currency: Currency("USD")!)
    let start = Timestamp(microseconds: 0)
    return Order(
      restoring: OrderKey(tenant: tenant, order: OrderID(high: number, low: 0)), customer: CustomerID("c")!,
      lines: [OrderLine(product: ProductID("p")!, quantity: Quantity(quantity)!, unitPrice: money)!], total: money, metadata: [], paymentMethod: nil,
      status: .pending, heldFrom: nil, paymentStatus: .none, reservation: reservation, version: 1, createdAt: start, updatedAt: start)
  }

  private static let product = ProductKey(tenant: tenant, product: ProductID("p")!)

  @Test func whatIsAskedTwiceMovesOnce() {
    let (fresh, known) = (Self.order(1, 3), Self.order(2, 2, reservation: .allocated))
    var inventory = BuiltInInventory(
      BatchFacts(now: Timestamp(microseconds: 0), orders: [known.key: known], stock: [Self.product: StockLevel(onHand: 10, reserved: 2)]))
    for _ in 1...2 { inventory.perform(.reserve, for: fresh) }
    #expect(inventory.available(Self.product) == 5)
    for _ in 1...2 { inventory.perform(.release, for: fresh) }
    #expect(inventory.available(Self.product) == 8)
    inventory.perform(.reserve, for: fresh)
    #expect(inventory.available(Self.product) == 8, "a reservation that is over is not made again")
    for _ in 1...2 { inventory.perform(.fulfil, for: known) }
    #expect(inventory.writes.levels == [Self.product: StockLevel(onHand: -2, reserved: -2)])
    #expect(inventory.writes.made == [fresh.key: .released] && inventory.writes.moved == [known.key: .fulfilled])
  }

  @Test func aProductThatNobodyCountedHasNothing() {
    #expect(BuiltInInventory(BatchFacts(now: Timestamp(microseconds: 0))).available(Self.product) == 0)
  }
}
