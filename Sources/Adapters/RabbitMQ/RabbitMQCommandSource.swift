import Application
import RabbitMQClient

/// Commands from a queue, over one consumer.
package struct RabbitMQCommandSource: CommandSource {
  private let consumer: Consumer

  package init(consumer: Consumer) { self.consumer = consumer }

  package func next(max: Int) async -> SourceEvent {
    switch await consumer.next(max: max) {
    case .deliveries(let deliveries): .deliveries(deliveries.map(ReceivedMessage.init))
    case .lost(let generation): .lost(generation: generation)
    case .stopped: .stopped
    }
  }

  package func settle(_ settlements: [Application.Settlement], generation: UInt64) {
    consumer.settle(
      settlements.map { settlement in
        switch settlement {
        case .acknowledge(let tag): .ack(tag: tag, multiple: true)
        case .acknowledgeOne(let tag): .ack(tag: tag, multiple: false)
        }
      }, generation: generation)
  }

  package func stopTaking() async { await consumer.stopTaking() }
}
