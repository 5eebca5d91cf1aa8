import ClientRuntime
import RabbitMQClient
import TestSupport

/// A queue of the test's own on the stack's broker, and clients for it.
struct RabbitMQFixture: Sendable {
  let queue: String

  /// A quorum queue, as the product's are; removed by `remove`.
  static func make(arguments: [Header] = []) async throws -> RabbitMQFixture {
    let fixture = RabbitMQFixture(queue: Stack.uniqueName("client-test-"))
    try await AMQPAdministration.withSession(try configuration()) { [queue = fixture.queue] session throws(AMQPError) in
      try session.declareQueue(queue, arguments: [Header(name: "x-queue-type", value: .string("quorum"))] + arguments)
    }
    return fixture
  }

  func remove() async throws {
    try await AMQPAdministration.withSession(try Self.configuration()) { [queue] session throws(AMQPError) in try session.deleteQueue(queue) }
  }

  static func configuration() throws -> ConnectionConfiguration { try ConnectionConfiguration(url: Stack.amqpURL, name: "client tests") }

  func consumer(prefetch: UInt16 = 1_000) throws -> Consumer {
    Consumer(configuration: try Self.configuration(), subscription: .queue(queue), prefetch: prefetch)
  }

  func publisher() throws -> Publisher { Publisher(configuration: try Self.configuration()) }

  func publication(_ body: [UInt8], _ change: (inout MessageProperties) -> Void = { _ in }) -> Publication {
    var properties = MessageProperties()
    properties.deliveryMode = 2
    change(&properties)
    return Publication(exchange: "", routingKey: queue, mandatory: true, properties: properties, body: body)
  }
}

extension Consumer {
  /// The next `count` deliveries; fewer where they do not come in time.
  func deliveries(_ count: Int, within limit: Duration = .seconds(20)) async -> [Delivery] {
    let clock = Task {
      try await Task.sleep(for: limit)
      await stopTaking()
    }
    defer { clock.cancel() }
    var all: [Delivery] = []
    while all.count < count {
      switch await next(max: count - all.count) {
      case .deliveries(let some): all += some
      case .lost: continue
      case .stopped: return all
      }
    }
    return all
  }
}
