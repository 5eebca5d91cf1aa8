import ClientRuntime
import RabbitMQClient

/// The worker's names with the prefix of this run, and the queue of the benchmark's own that collects the events.
struct BenchTopology: Sendable {
  let configuration: ConnectionConfiguration
  let prefix: String
  /// What the commands show, one after the other; none where nobody asks.
  let tokens: [String]
  private let quorum = [Header(name: "x-queue-type", value: .string("quorum"))]

  var commandsExchange: String { "\(prefix).commands" }
  var commands: String { "\(prefix).commands" }
  var events: String { "\(prefix)-bench.events" }

  /// Binds the events' queue, empty.
  func prepare() async throws {
    try await AMQPAdministration.withSession(configuration) { [self] session throws(AMQPError) in
      try session.deleteQueue(events)
      try session.declareQueue(events, arguments: quorum)
      try session.bind(queue: events, exchange: "\(prefix).events", routingKey: "order.created")
    }
  }

  func clean() async throws {
    try await AMQPAdministration.withSession(configuration) { [self] session throws(AMQPError) in try session.deleteQueue(events) }
  }

  /// Messages that are ready in the queue, once `enough` says so or the deadline has passed.
  func messages(in queue: String, by deadline: Deadline = .after(.zero), until enough: @escaping @Sendable (UInt32) -> Bool = { _ in true }) async throws
    -> UInt32
  {
    try await AMQPAdministration.withSession(configuration) { session throws(AMQPError) in
      while true {
        let found = try session.depth(of: queue)?.messages ?? 0
        if enough(found) || deadline.hasPassed { return found }
        _ = poll(socket: -1, wakeup: nil, until: min(deadline, .after(.milliseconds(20))))
      }
    }
  }
}
