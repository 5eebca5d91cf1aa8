import Domain
import Testing

@Suite struct StockTests {
  /// Every small level, good or not, against the rule itself.
  @Test func aStockIsNeverNegativeNorOversold() {
    for onHand: Int64 in -2...4 {
      for reserved: Int64 in -2...5 {
        let stock = try? Stock(onHand: onHand, reserved: reserved)
        #expect((stock != nil) == (onHand >= 0 && reserved >= 0 && reserved <= onHand), "\(onHand), \(reserved)")
        #expect(stock.map(\.available) ?? onHand - reserved == onHand - reserved)
      }
    }
    #expect(throws: StockFault.negative) { try Stock(onHand: -1) }
    #expect(throws: StockFault.oversold) { try Stock(onHand: 3, reserved: 4) }
  }

  @Test func everyMovementKeepsTheRule() throws {
    for onHand: Int64 in 0...3 {
      for reserved in 0...onHand {
        let stock = try Stock(onHand: onHand, reserved: reserved)
        for out: Int64 in -4...4 {
          for moved: Int64 in -4...4 {
            let next = try? stock.applying(StockMovement(product: Sample.product, onHand: out, reserved: moved))
            let good = onHand + out >= 0 && reserved + moved >= 0 && reserved + moved <= onHand + out
            #expect(next.map { [$0.onHand, $0.reserved] } == (good ? [onHand + out, reserved + moved] : nil))
          }
        }
      }
    }
  }

  @Test func movementsBeyond64BitsAreRefused() throws {
    let full = try Stock(onHand: .max, reserved: .max)
    #expect(throws: StockFault.oversold) { try full.applying(StockMovement(product: Sample.product, reserved: 1)) }
    #expect(throws: StockFault.negative) { try full.applying(StockMovement(product: Sample.product, onHand: 1)) }
  }

  @Test func aCountBelowWhatIsReservedIsRefused() throws {
    let stock = try Stock(onHand: 10, reserved: 4)
    #expect(try stock.counted(onHand: 4).available == 0)
    #expect(throws: StockFault.oversold) { try stock.counted(onHand: 3) }
    #expect(throws: StockFault.negative) { try stock.counted(onHand: -1) }
    #expect(Stock.none.available == 0)
  }

  @Test func shippingLowersBothAndFreeingOnlyWhatIsReserved() {
    let lines = Sample.lines(price: 1)
    func moves(_ request: InventoryRequest) -> [[Int64]] { request.movements(of: lines).map { [$0.onHand, $0.reserved] } }
    #expect(moves(.allocate) == [])
    #expect(moves(.reserve) == [[0, 2], [0, 3]])
    #expect(moves(.release) == [[0, -2], [0, -3]] && moves(.expire) == moves(.release))
    #expect(moves(.fulfil) == [[-2, -2], [-3, -3]])
  }

  /// The path of a reservation, as the inventory's protocol draws it; whatever is not on it moves nothing.
  @Test func aRequestAppliesOnceAndOnlyOnItsWay() {
    let path: [InventoryRequest: [ReservationState]] = [
      .reserve: [.none], .allocate: [.held], .expire: [.held], .release: [.held, .allocated], .fulfil: [.allocated],
    ]
    for request in InventoryRequest.allCases {
      #expect(ReservationState.allCases.filter(request.applies) == path[request], "\(request)")
      #expect(!request.applies(to: request.result), "\(request) twice")
    }
  }
}
