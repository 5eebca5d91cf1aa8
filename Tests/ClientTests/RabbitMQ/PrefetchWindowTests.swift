import Testing

@testable import RabbitMQClient

@Suite struct PrefetchWindowTests {
  @Test func aWindowIsFullWhileAsManyAreInHandAsFitAndHasRoomForEachThatIsSettled() {
    var window = PrefetchWindow(size: 4)
    #expect(!window.isFull)
    for tag: UInt64 in 1...4 { window.received(tag) }
    #expect(window.isFull)
    let steps: [(Settlement, room: UInt64)] = [
      (.ack(tag: 3, multiple: false), 1), (.nack(tag: 2, requeue: true, multiple: false), 1), (.ack(tag: 3, multiple: true), 1),
      (.ack(tag: 4, multiple: false), 1), (.ack(tag: 4, multiple: true), 0), (.nack(tag: 0, requeue: true, multiple: true), 4),
    ]
    var last: UInt64 = 4
    for (settlement, room) in steps {
      window.settle(settlement)
      for _ in 0..<room {
        #expect(!window.isFull, "\(settlement)")
        last += 1
        window.received(last)
      }
      #expect(window.isFull, "\(settlement)")
    }
  }
}
