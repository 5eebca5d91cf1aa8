import Domain
import Testing

@Suite struct PlacementTests {
  private func place(_ levels: [ProductID: Int64]) -> Placement {
    Order.place(Sample.create(), tenant: Sample.tenant, at: Sample.start) { levels[$0] ?? 0 }
  }

  @Test func aPlacedOrderHoldsAllOfItsLines() {
    guard case .created(let change) = place([Sample.product: 2, Sample.other: 3]) else {
      Issue.record("just enough is not enough")
      return
    }
    #expect(change.line == "v1 ->pending none held order.created product-1:0/2 product-2:0/3")
    let command = Sample.create()
    let order = change.order
    #expect(order.key == OrderKey(tenant: Sample.tenant, order: Sample.id))
    #expect(order.lines == command.lines && order.total == command.total && order.customer == command.customer && order.metadata == command.metadata)
    #expect(order.paymentMethod == Sample.method && order.createdAt == Sample.start && order.updatedAt == Sample.start && order.heldFrom == nil)
  }

  static let shortages: [([Int64], [Int])] = [([1, 3], [0]), ([2, 2], [1]), ([0, 0], [0, 1]), ([1, 2], [0, 1]), ([-5, 3], [0])]

  @Test(arguments: shortages)
  func eachShortItemIsNamedAndNothingIsReserved(levels: [Int64], short: [Int]) {
    guard case .rejected(let change, let rejection) = place([Sample.product: levels[0], Sample.other: levels[1]]) else {
      Issue.record("oversold")
      return
    }
    #expect(change.line == "v1 ->rejected none none order.rejected")
    #expect(rejection.code == .outOfStock)
    let requested: [Int64] = [2, 3]
    #expect(rejection.details.map(\.path) == short.map { "items[\($0)].quantity" })
    #expect(rejection.details.map(\.requested) == short.map { requested[$0] })
    #expect(rejection.details.map(\.available) == short.map { levels[$0] })
    #expect(rejection.details.allSatisfy { $0.code == .outOfStock })
    #expect(rejection.message.contains("product-\(short[0] + 1)"))
  }

  @Test func theSentencesSayHowMuchIsMissing() {
    guard case .rejected(_, let one) = place([Sample.product: 1, Sample.other: 3]), case .rejected(_, let both) = place([:]) else {
      Issue.record("oversold")
      return
    }
    #expect(one.message == "Of product-1 2 are requested and 1 are available.")
    #expect(one.details.map(\.message) == [one.message])
    #expect(both.message == "Of product-1 2 are requested and 0 are available. 1 more of the items are short too.")
  }

  @Test func aTotalBeyond64BitsIsNoCommand() {
    func lines(_ prices: Int64...) -> [OrderLine] {
      prices.enumerated().map {
        OrderLine(product: ProductID("p\($0.offset)")!, quantity: Quantity(1)!, unitPrice: Money(minorUnits: $0.element, currency: Sample.usd))!
      }
    }
    func total(_ lines: [OrderLine]) -> Int64? {
      CreateOrder(
        order: Sample.id, choosesOrderID: true, customer: Sample.customer, currency: Sample.usd, lines: lines, paymentMethod: nil, confirm: false,
        metadata: [])?.total.minorUnits
    }
    #expect(total(lines(.max)) == .max)
    #expect(total(lines(.max - 1, 1)) == .max)
    #expect(total(lines(.max, 1)) == nil)
    #expect(total(lines(.max - 1, 1, 1)) == nil)
    let million = Quantity(1_000_000)!
    #expect(OrderLine(product: Sample.product, quantity: million, unitPrice: Money(minorUnits: .max / 1_000_000, currency: Sample.usd)) != nil)
    #expect(OrderLine(product: Sample.product, quantity: million, unitPrice: Money(minorUnits: .max / 1_000_000 + 1, currency: Sample.usd)) == nil)
  }
}
