import Domain
import TestSupport
import Testing

@Suite struct RandomWorldTests {
  @Test func whateverHappensStockMoneyAndVersionsAddUp() throws {
    var seeds = SeededGenerator.forTest("worlds")
    var events: [EventType: Int] = [:]
    var purposes: [PaymentPurpose: Int] = [:]
    for _ in 0..<60 {
      var world = try World(orders: 12, random: SeededGenerator(seed: seeds.next()))
      for _ in 0..<400 { try world.step() }
      try world.settleEverything()
      events.merge(world.events, uniquingKeysWith: +)
      purposes.merge(world.purposes, uniquingKeysWith: +)
    }
    for purpose in PaymentPurpose.allCases { #expect(purposes[purpose, default: 0] > 0, "\(purpose) was never asked for") }
    for event in EventType.allCases where event != .commandRejected { #expect(events[event, default: 0] > 0, "\(event) never happened") }
  }
}
