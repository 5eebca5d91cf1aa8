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

  /// A proxy in front of the stack's broker, and the way to it; heartbeats are short.
  static func proxied() throws -> (TCPProxy, ConnectionConfiguration) {
    let proxy = TCPProxy(to: UInt16(try configuration().hosts[0].port))
    let url = "amqp://guest:guest@127.0.0.1:\(proxy.port)"
    return (proxy, try ConnectionConfiguration(url: url, name: "client tests", heartbeat: .seconds(1), connectTimeout: .seconds(2)))
  }

  func consumer(_ configuration: ConnectionConfiguration? = nil, prefetch: UInt16 = 1_000) throws -> Consumer {
    Consumer(configuration: try configuration ?? Self.configuration(), subscription: .queue(queue), prefetch: prefetch)
  }

  func publisher(_ configuration: ConnectionConfiguration? = nil) throws -> Publisher {
    Publisher(configuration: try configuration ?? Self.configuration())
  }

  /// How many messages wait in the queue, by the broker's word.
  func depth() async throws -> Int {
    let depth = try await AMQPAdministration.withSession(try Self.configuration()) { [queue] session throws(AMQPError) in try session.depth(of: queue) }
    return depth.map { Int($0.messages) } ?? -1
  }

  func publication(_ body: [UInt8], _ change: (inout MessageProperties) -> Void = { _ in }) -> Publication {
    var properties = MessageProperties()
    properties.deliveryMode = 2
    change(&properties)
    return Publication(exchange: "", routingKey: queue, mandatory: true, properties: properties, body: body)
  }
}

extension Consumer {
  /// The next `count` deliveries; fewer where they do not come in time, after which nothing more comes at all.
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
