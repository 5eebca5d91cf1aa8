import Application
import ClientRuntime
import RabbitMQClient

/// Retries and dead letters to their queues by the default exchange, mandatory and confirmed.
package struct RabbitMQForwarder: MessageForwarder {
  private let publisher: Publisher
  private let deadline: Duration

  package init(publisher: Publisher, deadline: Duration = .seconds(10)) {
    self.publisher = publisher
    self.deadline = deadline
  }

  package func forward(_ messages: [Message]) async -> [Bool] {
    let outcomes = await publisher.publish(messages.map { Publication($0, mandatory: true).fitted() }, deadline: .after(deadline))
    return outcomes.map { $0 == .confirmed }
  }
}
