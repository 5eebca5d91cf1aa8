import PostgresClient
import RabbitMQClient

/// What somebody in the network could read of the worker's connections, or change, in production.
enum TransportExposure {
  /// A sentence for each server that is to be told of at the start; none outside production, where servers are on a developer's own network.
  static func sentences(_ configuration: Configuration) -> [String] {
    guard configuration[.environment] == .production else { return [] }
    // Addresses that cannot be read are refused before this.
    let exposures = [
      try? ConnectionConfiguration(url: configuration[.amqpURL], name: "").exposure, try? PostgresConfiguration(url: configuration[.databaseURL]).exposure,
    ]
    return exposures.compactMap(\.self)
  }
}
