import ClientRuntime
import RabbitMQClient

/// What one node of RabbitMQ says of itself over AMQP.
package struct BrokerFacts: Sendable, Equatable {
  /// Product, version, encryption and place, in words.
  package var server: String
  package var certificateEnd: CertificateEnd?

  package init(server: String, certificateEnd: CertificateEnd? = nil) {
    self.server = server
    self.certificateEnd = certificateEnd
  }
}

/// What can be seen of exchanges and queues over AMQP, which shows neither bindings nor policies.
package struct TopologyFacts: Sendable, Equatable {
  package var missing: [TopologyFault]
  /// Queues that have other arguments; nil where the user may not ask, which takes the right to configure.
  package var different: [TopologyFault]?

  package init(missing: [TopologyFault], different: [TopologyFault]?) {
    self.missing = missing
    self.different = different
  }
}

/// Reads a broker's facts; changes nothing.
package enum BrokerExamination {
  package static func facts(_ configuration: ConnectionConfiguration, deadline: Deadline) async throws(AMQPError) -> BrokerFacts {
    try await AMQPAdministration.withSession(configuration, deadline: deadline) { session throws(AMQPError) in
      BrokerFacts(server: try session.server, certificateEnd: try session.certificateEnd)
    }
  }

  package static func topology(
    _ topology: Topology, _ configuration: ConnectionConfiguration, deadline: Deadline
  ) async throws(AMQPError) -> TopologyFacts {
    do throws(AMQPError) {
      let faults = try await topology.faults(configuration, deadline: deadline)
      return TopologyFacts(missing: faults.filter(\.isMissing), different: faults.filter { !$0.isMissing })
    } catch {
      guard error.code == .channelClosed(403) else { throw error }
      return TopologyFacts(missing: try await topology.missing(configuration, deadline: deadline), different: nil)
    }
  }
}
