import Application
import TestSupport
import Testing

@Suite struct AckLedgerTests {
  private func tags(_ numbers: UInt64..., generation: UInt64 = 1) -> [DeliveryTag] { numbers.map { DeliveryTag(generation: generation, number: $0) } }

  @Test func whatIsSettledInOrderGoesOutAsOneAcknowledgement() {
    var ledger = AckLedger()
    ledger.received(tags(1, 2, 3))
    #expect(ledger.settle(tags(1, 2, 3)) == [.acknowledge(upTo: 3)])
    #expect(ledger.unsettled == 0)
  }

  @Test func beyondTheFirstUnsettledOneAcknowledgementsAreSingle() {
    var ledger = AckLedger()
    ledger.received(tags(1, 2, 3, 4, 5))
    #expect(ledger.settle(tags(1, 3, 5)) == [.acknowledge(upTo: 1), .acknowledgeOne(3), .acknowledgeOne(5)])
    #expect(ledger.unsettled == 2)
    #expect(ledger.settle(tags(2)) == [.acknowledge(upTo: 2)], "3 is acknowledged already, and cannot be named again")
    #expect(ledger.settle(tags(4)) == [.acknowledge(upTo: 4)])
    #expect(ledger.unsettled == 0)
  }

  @Test func tagsOfALostGenerationSettleNothing() {
    var ledger = AckLedger()
    ledger.received(tags(1, 2))
    ledger.lost(generation: 1)
    ledger.received(tags(1, 2, generation: 2))
    #expect(ledger.settle(tags(1, 2)) == [])
    #expect(ledger.unsettled == 2)
    #expect(ledger.settle(tags(1, generation: 2)) == [.acknowledge(upTo: 1)])
  }

  @Test func settlingTwiceSaysNothingTwice() {
    var ledger = AckLedger()
    ledger.received(tags(1, 2, 3))
    _ = ledger.settle(tags(2))
    #expect(ledger.settle(tags(2)) == [])
  }

  @Test func inAnyOrderEveryDeliveryIsCoveredExactlyWhenItIsSettledAndNoneIsNamedTwice() {
    var generator = SeededGenerator.forTest("acknowledgements in any order")
    for _ in 0..<200 {
      var ledger = AckLedger()
      let count = UInt64.random(in: 1...40, using: &generator)
      ledger.received((1...count).map { DeliveryTag(generation: 1, number: $0) })
      var acknowledged: Set<UInt64> = []
      var settled: Set<UInt64> = []
      for tag in (1...count).shuffled(using: &generator) {
        settled.insert(tag)
        for settlement in ledger.settle(tags(tag)) {
          switch settlement {
          case .acknowledge(let upTo):
            #expect(!acknowledged.contains(upTo))
            acknowledged.formUnion(1...upTo)
          case .acknowledgeOne(let one): #expect(acknowledged.insert(one).inserted)
          }
        }
        #expect(acknowledged == settled)
      }
    }
  }
}
