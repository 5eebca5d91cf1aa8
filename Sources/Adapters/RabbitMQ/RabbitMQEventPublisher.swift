import Application
import ClientRuntime
import Domain
import RabbitMQClient

/// Events to the events exchange, persistent and confirmed. Not mandatory: an exchange that nobody listens to is fine.
package struct RabbitMQEventPublisher: EventPublisher {
  private let publisher: Publisher
  private let exchange: String
  private let deadline: Duration

  package init(publisher: Publisher, exchange: String, deadline: Duration = .seconds(10)) {
    self.publisher = publisher
    self.exchange = exchange
    self.deadline = deadline
  }

  package func publish(_ events: [EncodedEvent]) async -> [Bool] {
    let outcomes = await publisher.publish(events.map(publication), deadline: .after(deadline))
    return outcomes.map { $0 == .confirmed }
  }

  private func publication(_ event: EncodedEvent) -> Publication {
    var properties = MessageProperties()
    properties.contentType = "application/cloudevents+json"
    properties.type = event.type.rawValue
    properties.messageID = event.key.event.description
    properties.deliveryMode = 2
    properties.headers = [Header(name: "tenant", value: .string(event.key.order.tenant.rawValue))]
    return Publication(exchange: exchange, routingKey: event.type.rawValue, mandatory: false, properties: properties, body: event.body)
  }
}
