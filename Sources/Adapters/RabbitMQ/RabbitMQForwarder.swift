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

  package func forward(_ messages: [Message]) async -> [ForwardOutcome] {
    let outcomes = await publisher.publish(messages.map { Publication($0, mandatory: true).fitted() }, deadline: .after(deadline))
    return outcomes.map(ForwardOutcome.init)
  }
}

extension ForwardOutcome {
  fileprivate init(_ outcome: PublishOutcome) {
    self =
      switch outcome {
      case .confirmed: .safe
      case .nacked: .notTaken("the queue takes no more, or is without a majority of its nodes")
      case .returned(let code, let text): .notTaken("there is no such queue, \(text) (\(code)): run `order-worker setup`")
      case .notSent(let reason), .unknown(let reason): .notTaken(reason)
      }
  }
}
