import ClientRuntime
import FoundationEssentials
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
    let pages = [
      ("the senders' keys", configuration[.jwksURL]), ("the payment provider", configuration[.paymentURL]), ("traces", configuration[.otlpEndpoint]),
    ].map(plainHTTP)
    return (exposures + pages).compactMap(\.self)
  }

  /// Nil where it is HTTPS, or on this machine.
  private static func plainHTTP(_ name: String, _ url: String?) -> String? {
    guard let url, url.lowercased().hasPrefix("http://"), let host = URL(string: url)?.host, !HostLookup.isLocal(host) else { return nil }
    return "\(name) at \(host) are not encrypted and not verified, so that anybody in between can pass for them: https:// does that"
  }
}
