/// How a connection is encrypted and whom it trusts: the parameters of an `amqps://` URL, by RabbitMQ's own names.
///
/// The files are in PEM format, and are read anew for each connection.
public struct TLSSettings: Sendable, Equatable {
  /// `cacertfile`: whom to trust; nil is the system's store.
  public let authorities: String?
  /// `certfile`: what the client shows where it is asked, with its chain.
  public let certificate: String?
  /// `keyfile`: nil where the key is in the certificate's file.
  public let key: String?
  /// `verify=verify_none` only encrypts: whoever is in between can pass for the server.
  public let verifiesServer: Bool
  /// `server_name_indication`: the name that is asked for and that the certificate must have, where that is not the host's.
  public let serverName: String?

  static let names = ["cacertfile", "certfile", "keyfile", "verify", "server_name_indication"]
  /// RabbitMQ's other ones, which have no effect here.
  private static let ignored = ["heartbeat", "connection_timeout", "channel_max"]

  init(_ parameters: [String: String]) throws(AMQPError) {
    // Not quoted: where a password was not escaped, this is a part of it.
    guard parameters.keys.allSatisfy({ Self.names.contains($0) || Self.ignored.contains($0) }) else {
      throw AMQPError(.wrongURL, "the RabbitMQ URL has an unknown parameter behind its ?: those for TLS are \(Self.names.joined(separator: ", "))")
    }
    if let empty = Self.names.first(where: { parameters[$0]?.isEmpty == true || parameters[$0]?.contains("\0") == true }) {
      throw AMQPError(.wrongURL, "\(empty) in the RabbitMQ URL has no value")
    }
    switch parameters["verify"] {
    case nil, "verify_peer": verifiesServer = true
    case "verify_none": verifiesServer = false
    default: throw AMQPError(.wrongURL, "verify in the RabbitMQ URL is verify_peer, the default, or verify_none")
    }
    authorities = parameters["cacertfile"]
    certificate = parameters["certfile"]
    key = parameters["keyfile"]
    serverName = parameters["server_name_indication"]
    if key != nil && certificate == nil { throw AMQPError(.wrongURL, "the RabbitMQ URL has keyfile without certfile") }
  }
}
