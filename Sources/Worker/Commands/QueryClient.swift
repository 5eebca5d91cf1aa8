import ClientRuntime
import FoundationEssentials
import RabbitMQClient

/// Asks a worker over RabbitMQ, as any service would.
struct QueryClient: Sendable {
  let connection: ConnectionConfiguration
  let exchange: String
  let timeout: Duration
  /// The header of that name; nil: none.
  let authorization: String?

  init(_ configuration: Configuration, timeout: Duration, authorization: String?) throws {
    connection = try SetupBroker.connection(configuration, purpose: "query")
    exchange = "\(configuration[.prefix]).queries"
    self.timeout = timeout
    self.authorization = authorization
  }

  /// The answer's bytes, an object of JSON whose `outcome` is `ok`. Throws what the worker says where it is not.
  func ask(_ type: String, _ body: some Encodable) async throws -> [UInt8] {
    let bytes = Array(try JSONEncoder().encode(body))
    let queue = ReplyQueue(connection, prefetch: 10)
    let publisher = Publisher(configuration: connection)
    let result: Result<[UInt8], any Error>
    do {
      result = .success(try await ask(type, bytes, from: queue, publisher))
    } catch {
      result = .failure(error)
    }
    await publisher.close()
    await queue.consumer.close()
    return try result.get()
  }

  private func ask(_ type: String, _ body: [UInt8], from queue: ReplyQueue, _ publisher: Publisher) async throws -> [UInt8] {
    let name = try await queue.untilReady(within: timeout)
    var properties = MessageProperties()
    properties.contentType = "application/json"
    properties.type = type
    properties.correlationID = name
    properties.replyTo = name
    if let authorization { properties.headers = [Header(name: "authorization", value: .string(authorization))] }
    let query = Publication(exchange: exchange, routingKey: type, mandatory: true, properties: properties, body: body)
    guard await publisher.publish([query], deadline: .after(timeout)) == [.confirmed] else {
      throw CommandFailure("the query was not taken by exchange \(exchange): run `order-worker setup`")
    }
    let alarm = Task {
      try await Task.sleep(for: timeout)
      await queue.consumer.stopTaking()
    }
    defer { alarm.cancel() }
    guard case .deliveries(let deliveries) = await queue.consumer.next(max: 1), let reply = deliveries.first else {
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
