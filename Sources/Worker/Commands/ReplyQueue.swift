import ClientRuntime
import Domain
import RabbitMQClient

/// A queue of the command line's own, where the worker answers it.
struct ReplyQueue {
  let name: String
  let consumer: Consumer

  init(_ connection: ConnectionConfiguration, prefetch: UInt16) {
    var random = SystemRandomNumberGenerator()
    name = "reply.\(UUIDValue.random(using: &random))"
    consumer = Consumer(configuration: connection, subscription: .exclusive(name: name), prefetch: prefetch)
  }

  /// The queue is there, so that no answer can come before it; throws what is in the way after `limit`.
  func untilReady(within limit: Duration) async throws {
    let deadline = Deadline.after(limit)
    while !consumer.state.isConnected {
      if deadline.hasPassed {
        if case .disconnected(let reason) = consumer.state { throw CommandFailure("RabbitMQ: \(reason)") }
        throw CommandFailure("RabbitMQ: no connection within \(DurationText.format(limit))")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
  }
}
