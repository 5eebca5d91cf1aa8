import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// A RabbitMQ that takes only who shows a certificate of the authority's; one for all tests of a suite.
struct TLSBroker: Sendable {
  @TaskLocal static var current: TLSBroker?

  let server: PrivateRabbitMQ
  let certificates: TestCertificates
  /// Where it speaks TLS.
  let port: UInt16

  /// Certificates that the tests show; the server's is `server`, for `localhost` and `127.0.0.1`.
  static func start() async throws -> TLSBroker? {
    let certificates = try await TestCertificates()
    try await certificates.issue("server", for: ["localhost", "127.0.0.1"], user: "postgres")
    try await certificates.issue("client", for: ["client"])
    try await certificates.issue("impostor", by: "stranger", for: ["client"])
    let port = freePort()
    let server = try await PrivateRabbitMQ.start(configuration: [
      "listeners.ssl.1 = 127.0.0.1:\(port)", "ssl_options.cacertfile = \(certificates.certificate("authority"))",
      "ssl_options.certfile = \(certificates.certificate("server"))", "ssl_options.keyfile = \(certificates.key("server"))",
      "ssl_options.verify = verify_peer", "ssl_options.fail_if_no_peer_cert = true",
    ])
    guard let server else {
      await certificates.remove()
      return nil
    }
    return TLSBroker(server: server, certificates: certificates, port: port)
  }

  func remove() async {
    await server.remove()
    await certificates.remove()
  }

  /// The way to it, or to a proxy before it.
  func configuration(
    host: String = "localhost", port: UInt16? = nil, authority: String? = "authority", client: String? = "client", more: String = ""
  ) throws -> ConnectionConfiguration {
    var parameters: [String] = []
    if let authority { parameters.append("cacertfile=\(certificates.certificate(authority))") }
    if let client { parameters.append("certfile=\(certificates.certificate(client))&keyfile=\(certificates.key(client))") }
    if !more.isEmpty { parameters.append(more) }
    let url = "amqps://guest:guest@\(host):\(port ?? self.port)/?" + parameters.joined(separator: "&")
    return try ConnectionConfiguration(url: url, name: "tls tests", heartbeat: .seconds(1))
  }
}

/// Starts the broker before the first of a suite's tests, and removes it after the last.
struct WithTLSBroker: SuiteTrait, TestScoping {
  func provideScope(for test: Test, testCase: Test.Case?, performing function: @Sendable () async throws -> Void) async throws {
    let broker = try #require(try await TLSBroker.start())
    do {
      try await TLSBroker.$current.withValue(broker, operation: function)
    } catch {
      await broker.remove()
      throw error
    }
    await broker.remove()
  }
}

extension Trait where Self == WithTLSBroker {
  static var tlsBroker: Self { Self() }
}
