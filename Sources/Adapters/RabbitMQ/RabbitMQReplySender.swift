import Application
import ClientRuntime
import RabbitMQClient

/// Replies by the default exchange, on a connection of their own: on RabbitMQ 3.10 a reply to a client whose node is down closes the
/// connection that it was published on.
package final class RabbitMQReplySender: ReplySender {
  private let publisher: Publisher
  private let queue: AsyncStream<[Reply]>.Continuation
  private let sending: Task<Void, Never>

  /// `publisher` needs no confirms. At most `pending` batches wait; replies beyond that are lost, as one to a client that is gone is.
  package init(publisher: Publisher, pending: Int = 64) {
    self.publisher = publisher
    let (stream, continuation) = AsyncStream.makeStream(of: [Reply].self, bufferingPolicy: .bufferingNewest(pending))
    queue = continuation
    sending = Task {
      for await replies in stream {
        _ = await publisher.publish(replies.map(Self.publication), deadline: .after(.seconds(5)))
      }
    }
  }

  package func send(_ replies: [Reply]) { queue.yield(replies) }

  /// Returns when what was sent so far is written, or lost.
  package func close() async {
    queue.finish()
    await sending.value
  }

  private static func publication(_ reply: Reply) -> Publication {
    var properties = MessageProperties()
    properties.contentType = "application/json"
    properties.type = "order.reply"
    // A message id of 128 characters may take more bytes than AMQP gives a correlation id.
    properties.correlationID = reply.correlationID.flatMap { $0.utf8.count <= 255 ? $0 : nil }
    properties.deliveryMode = 1
    return Publication(exchange: "", routingKey: reply.to, mandatory: false, properties: properties, body: reply.body)
  }
}
