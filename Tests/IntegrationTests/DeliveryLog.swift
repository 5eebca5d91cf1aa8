import ClientRuntime
import RabbitMQClient
import TestSupport

/// Everything that a consumer gets, taken and acknowledged as it comes, with the time at which it came.
final class DeliveryLog: Sendable {
  struct Entry: Sendable {
    let delivery: Delivery
    let at: ContinuousClock.Instant
  }

  private let consumer: Consumer
  private let entries = Locked<[Entry]>([])
  private let reading: Task<Void, Never>

  /// Returns once the consumer is connected.
  init(_ consumer: Consumer) async {
    self.consumer = consumer
    let entries = entries
    reading = Task {
      while true {
        switch await consumer.next(max: 2_000) {
        case .deliveries(let some):
          let now = ContinuousClock.now
          entries.withLock { $0 += some.map { Entry(delivery: $0, at: now) } }
          consumer.settle([.ack(tag: some.last!.tag, multiple: true)], generation: some.last!.generation)
        case .lost: continue
        case .stopped: return
        }
      }
    }
    _ = await eventually { consumer.state.isConnected }
  }

  var all: [Entry] { entries.withLock { $0 } }
  var count: Int { entries.withLock(\.count) }

  func close() async {
    await consumer.close()
    await reading.value
  }
}
