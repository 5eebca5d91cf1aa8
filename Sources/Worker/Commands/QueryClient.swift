import ClientRuntime
import Domain
import FoundationEssentials
import RabbitMQClient

/// Asks a worker over RabbitMQ, as any service would.
struct QueryClient: Sendable {
  let connection: ConnectionConfiguration
  let exchange: String
  let timeout: Duration

  init(_ configuration: Configuration, timeout: Duration) throws {
    connection = try SetupBroker.connection(configuration, purpose: "query")
    exchange = "\(configuration[.prefix]).queries"
    self.timeout = timeout
  }

  /// The answer's bytes, an object of JSON whose `outcome` is `ok`. Throws what the worker says where it is not.
  func ask(_ type: String, _ body: some Encodable) async throws -> [UInt8] {
    let bytes = Array(try JSONEncoder().encode(body))
    var random = SystemRandomNumberGenerator()
    let queue = "reply.\(UUIDValue.random(using: &random))"
    let replies = Consumer(configuration: connection, subscription: .exclusive(name: queue), prefetch: 10)
    let publisher = Publisher(configuration: connection)
    let result: Result<[UInt8], any Error>
    do {
      result = .success(try await ask(type, bytes, from: queue, publisher, replies))
    } catch {
      result = .failure(error)
    }
    await publisher.close()
    await replies.close()
    return try result.get()
  }

  private func ask(_ type: String, _ body: [UInt8], from queue: String, _ publisher: Publisher, _ replies: Consumer) async throws -> [UInt8] {
    let deadline = Deadline.after(timeout)
    while !replies.state.isConnected {
      if deadline.hasPassed {
        if case .disconnected(let reason) = replies.state { throw CommandFailure("RabbitMQ: \(reason)") }
        throw CommandFailure("RabbitMQ: no connection within \(DurationText.format(timeout))")
      }
      try await Task.sleep(for: .milliseconds(5))
    }
    var properties = MessageProperties()
    properties.contentType = "application/json"
    properties.type = type
    properties.correlationID = queue
    properties.replyTo = queue
    let query = Publication(exchange: exchange, routingKey: type, mandatory: true, properties: properties, body: body)
    guard await publisher.publish([query], deadline: deadline) == [.confirmed] else {
      throw CommandFailure("the query was not taken by exchange \(exchange): run `order-worker setup`")
    }
    let alarm = Task {
      try await Task.sleep(for: timeout)
      await replies.stopTaking()
    }
    defer { alarm.cancel() }
    guard case .deliveries(let deliveries) = await replies.next(max: 1), let reply = deliveries.first else {
      throw CommandFailure("no answer within \(DurationText.format(timeout)): is a worker with the role queries running?")
    }
    let outcome = try JSONDecoder().decode(Outcome.self, from: Data(reply.body))
    if outcome.outcome != "ok" { throw CommandFailure(outcome.error?.message ?? "the worker answered \(outcome.outcome)") }
    return reply.body
  }

  private struct Outcome: Decodable {
    struct Fault: Decodable { let message: String }
    let outcome: String
    let error: Fault?
  }
}
