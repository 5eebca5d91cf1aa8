import ClientRuntime
import RabbitMQClient

/// What is not as the topology wants it.
package enum TopologyFault: Sendable, Equatable, CustomStringConvertible {
  case missingExchange(String)
  case missingQueue(String)
  /// Only deleting it, when it is empty, and declaring it again mends this.
  case differentQueue(String, detail: String)

  package var description: String {
    switch self {
    case .missingExchange(let name): "exchange \(name) is missing"
    case .missingQueue(let name): "queue \(name) is missing"
    case .differentQueue(let name, let detail): "queue \(name) has other arguments than it should (\(detail))"
    }
  }

  package var isMissing: Bool { if case .differentQueue = self { false } else { true } }
}

extension Topology {
  /// Declares everything. Safe to repeat, and to do from many at once; a queue that exists with other arguments is an error.
  package func declare(_ configuration: ConnectionConfiguration) async throws(AMQPError) {
    try await AMQPAdministration.withSession(configuration) { session throws(AMQPError) in
      for exchange in exchanges { try session.declareExchange(exchange, type: "topic") }
      for queue in queues {
        try session.declareQueue(queue.name, arguments: queue.arguments)
        if let exchange = queue.boundTo { try session.bind(queue: queue.name, exchange: exchange, routingKey: "#") }
      }
    }
  }

  /// What is missing. Needs no right to configure anything, as a worker has none.
  package func missing(
    _ configuration: ConnectionConfiguration, deadline: Deadline = .after(.seconds(60))
  ) async throws(AMQPError) -> [TopologyFault] {
    try await AMQPAdministration.withSession(configuration, deadline: deadline) { session throws(AMQPError) in
      var faults: [TopologyFault] = []
      for exchange in exchanges where try session.lookAtExchange(exchange) == .missing { faults.append(.missingExchange(exchange)) }
      for queue in queues where try session.depth(of: queue.name) == nil { faults.append(.missingQueue(queue.name)) }
      return faults
    }
  }

  /// What is missing or different, which takes the right to configure: a queue is compared by declaring it again. AMQP shows no bindings, so that these are not looked at.
  package func faults(
    _ configuration: ConnectionConfiguration, deadline: Deadline = .after(.seconds(60))
  ) async throws(AMQPError) -> [TopologyFault] {
    try await AMQPAdministration.withSession(configuration, deadline: deadline) { session throws(AMQPError) in
      var faults: [TopologyFault] = []
      for exchange in exchanges where try session.lookAtExchange(exchange) == .missing { faults.append(.missingExchange(exchange)) }
      for queue in queues {
        switch try session.lookAtQueue(queue.name, arguments: queue.arguments) {
        case .present: break
        case .missing: faults.append(.missingQueue(queue.name))
        case .differs(let detail): faults.append(.differentQueue(queue.name, detail: detail))
        }
      }
      return faults
    }
  }
}
