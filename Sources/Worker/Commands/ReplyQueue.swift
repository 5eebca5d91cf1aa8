import ClientRuntime
import RabbitMQClient

/// A queue of the command line's own, where the worker answers it. The broker names it: at such an address also who was not verified is answered.
struct ReplyQueue {
  let consumer: Consumer

  init(_ connection: ConnectionConfiguration, prefetch: UInt16) {
    consumer = Consumer(configuration: connection, subscription: .exclusive(name: ""), prefetch: prefetch)
  }

  /// The queue is there, so that no answer can come before it; returns its name, or throws what is in the way after `limit`.
  func untilReady(within limit: Duration) async throws -> String {
    let deadline = Deadline.after(limit)
    while true {
      if consumer.state.isConnected, let name = consumer.queueName { return name }
      if deadline.hasPassed {
        if case .disconnected(let reason) = consumer.state { throw CommandFailure("RabbitMQ: \(reason)") }
        throw CommandFailure("RabbitMQ: no connection within \(DurationText.format(limit))")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
