import ClientRuntime
import Pacing
import RabbitMQClient

/// RabbitMQ for commands of the operator.
enum SetupBroker {
  /// How long a command waits for a server that is still starting.
  static let patience = Duration.seconds(30)

  static func connection(_ configuration: Configuration, purpose: String = "operator") throws(AMQPError) -> ConnectionConfiguration {
    try ConnectionConfiguration(url: configuration[.amqpURL], name: "order-worker \(purpose)")
  }

  /// Tries again while there is no connection.
  static func retrying<T: Sendable>(until deadline: Deadline, _ body: () async throws(AMQPError) -> T) async throws -> T {
    var backoff = Backoff(first: .milliseconds(100), limit: .seconds(2))
    while true {
      do throws(AMQPError) {
        return try await body()
      } catch {
        let pause = backoff.next()
        guard error.code == .connection || error.code == .timeout, deadline.remaining > pause else {
          throw CommandFailure("RabbitMQ: \(error.message)")
        }
        try await Task.sleep(for: pause)
      }
    }
  }
}
