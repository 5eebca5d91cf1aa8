import Application
import RabbitMQAdapter
import RabbitMQClient

/// Commands, with failpoints around their acknowledgement.
struct RabbitMQCommandSource: CommandSource {
  private let next: RabbitMQAdapter.RabbitMQCommandSource

  init(consumer: Consumer) { next = .init(consumer: consumer) }

  func next(max: Int) async -> SourceEvent { await next.next(max: max) }

  func settle(_ settlements: [Application.Settlement], generation: UInt64) {
    Failpoint.beforeAck.reach()
    next.settle(settlements, generation: generation)
    Failpoint.afterAck.reach()
  }

  func stopTaking() async { await next.stopTaking() }
}

/// Events, with failpoints around their publication and after its confirm.
struct RabbitMQEventPublisher: EventPublisher {
  private let next: RabbitMQAdapter.RabbitMQEventPublisher

  init(publisher: Publisher, exchange: String) { next = .init(publisher: publisher, exchange: exchange) }

  func publish(_ events: [EncodedEvent]) async -> [Bool] {
    Failpoint.beforePublish.reach()
    async let confirmed = next.publish(events)
    if Failpoint.afterPublish.isAwaited {
      // Long enough for them to be with the broker: whether its confirm has come is known to nobody but the publisher's own thread.
      try? await Task.sleep(for: .milliseconds(20))
      Failpoint.afterPublish.reach()
    }
    let result = await confirmed
    Failpoint.afterConfirm.reach()
    return result
  }
}

/// Retries and dead letters, with failpoints around them.
struct RabbitMQForwarder: MessageForwarder {
  private let next: RabbitMQAdapter.RabbitMQForwarder

  init(publisher: Publisher) { next = .init(publisher: publisher) }

  func forward(_ messages: [Message]) async -> [ForwardOutcome] {
    Failpoint.beforeForward.reach()
    let result = await next.forward(messages)
    Failpoint.afterForward.reach()
    return result
  }
}
