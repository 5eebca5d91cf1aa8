import Application
import ClientRuntime
import RabbitMQClient

/// Replies by the default exchange, on a connection of their own: on RabbitMQ 3.10 a reply to a client whose node is down closes the
/// connection that it was published on.
package struct RabbitMQReplySender: ReplySender {
  private let publisher: Publisher

  /// `publisher` needs no confirms: a reply that is written is with the kernel, whatever becomes of this process.
  package init(publisher: Publisher) { self.publisher = publisher }

  /// What cannot be written in time is lost, as one to a client that is gone is. A connection that could not be made last time holds up no
  /// command for long.
  package func send(_ replies: [Reply]) async {
    var patience = Duration.seconds(5)
    if case .disconnected = publisher.state { patience = .milliseconds(200) }
    _ = await publisher.publish(replies.map(Self.publication), deadline: .after(patience))
  }

  private static func publication(_ reply: Reply) -> Publication {
    var properties = MessageProperties()
    properties.contentType = "application/json"
    properties.type = "order.reply"
    // A message id of 128 characters may take more bytes than AMQP gives a correlation id.
    properties.correlationID = reply.correlationID.flatMap { $0.utf8.count <= 255 ? $0 : nil }
    properties.deliveryMode = 1
    if let traceparent = reply.traceparent { properties.headers = [Header(name: "traceparent", value: .string(traceparent))] }
    return Publication(exchange: "", routingKey: reply.to, mandatory: false, properties: properties, body: reply.body)
  }
}
