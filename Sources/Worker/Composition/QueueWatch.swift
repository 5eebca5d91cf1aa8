import ClientRuntime
import Dispatch
import Operations
import RabbitMQAdapter
import RabbitMQClient
import Synchronization

/// Looks every few seconds how much waits in the queues, over a connection of its own, for the gauges. While that cannot be told they are not shown.
final class QueueWatch: Sendable {
  private let configuration: ConnectionConfiguration
  private let queues: [String]
  private let health: HealthRegistry
  private let latest = Mutex<[String: QueueDepth]>([:])
  private let stopping = DispatchSemaphore(value: 0)
  private static let pause = 5.0  // seconds

  init(_ configuration: ConnectionConfiguration, topology: Topology, health: HealthRegistry) {
    self.configuration = configuration
    self.health = health
    queues = topology.queues.map(\.name)
  }

  /// Until `stop`.
  func run() async {
    while !Task.isCancelled {
      // Heartbeats end a call that hangs long before the session's deadline, and one that lives so long begins anew.
      let (life, end) = (Deadline.after(.seconds(3_600)), Deadline.after(.seconds(3_500)))
      let isOver = try? await AMQPAdministration.withSession(configuration, deadline: life) { session throws(AMQPError) in
        repeat { try self.look(session) } while self.stopping.wait(timeout: .now() + Self.pause) == .timedOut && !end.hasPassed
        return true
      }
      if isOver == true { continue }
      latest.withLock { $0 = [:] }
      health.set(.rabbitmq, latency: nil)
      try? await Task.sleep(for: .seconds(Self.pause))
    }
  }

  /// Ends `run`, which is what the task does. In this order: once it is told, it looks whether it is cancelled.
  func stop(_ task: Task<Void, Never>) {
    task.cancel()
    stopping.signal()
  }

  /// While it is not, a stop may take as long as a connection that does not come.
  var isConnected: Bool { latest.withLock { !$0.isEmpty } }

  private func look(_ session: AMQPSession) throws(AMQPError) {
    var depths: [String: QueueDepth] = [:]
    var fastest: Duration?
    for queue in queues {
      let begin = ContinuousClock.now
      depths[queue] = try session.depth(of: queue)
      let took = ContinuousClock.now - begin
      fastest = min(fastest ?? took, took)
    }
    latest.withLock { $0 = depths }
    health.set(.rabbitmq, latency: fastest)
  }

  func gauges() -> [any MetricFamily] {
    [
      gauge("orders_queue_messages_ready", "Messages that wait in a queue; what workers have in hand is not counted.", \.messages),
      gauge("orders_queue_consumers", "Consumers of a queue.", \.consumers),
    ]
  }

  private func gauge(_ name: String, _ help: String, _ count: @escaping @Sendable (QueueDepth) -> UInt32) -> any MetricFamily {
    Gauge(name, help) {
      self.latest.withLock { $0 }.sorted { $0.key < $1.key }.map { (pairs: [("queue", $0.key)], value: Double(count($0.value))) }
    }
  }
}
