import CRabbitMQ
import CTLS
import ClientRuntime

/// The TLS of one connection: verifies the server, says why a handshake failed, and writes what does not go by librabbitmq. Confined to
/// the connection's thread.
///
/// librabbitmq 0.11 by itself knows no system's store and no IP addresses in certificates, and tells all failures in the same words.
final class TLSSession {
  private let watch: OpaquePointer
  private let settings: TLSSettings
  private let name: String
  /// From here on the server is content with the certificate that it got, or with none.
  var isLoggedIn = false

  /// Reads the settings' files. `socket` is librabbitmq's, not opened yet.
  init(socket: OpaquePointer, _ settings: TLSSettings, host: String) throws(AMQPError) {
    guard let watch = tls_watch_new(amqp_ssl_socket_get_context(socket)) else { throw AMQPError(.connection, "out of memory") }
    self.watch = watch
    self.settings = settings
    name = settings.serverName ?? host
    amqp_ssl_socket_set_verify_peer(socket, settings.verifiesServer ? 1 : 0)
    // It is done within the handshake, with the name instead of the address that librabbitmq is given.
    amqp_ssl_socket_set_verify_hostname(socket, 0)
    let isAddress = HostLookup.isNumeric(name)
    var isReady = tls_watch_ask_for(watch, isAddress ? nil : name)
    if settings.verifiesServer {
      isReady = isReady && tls_watch_verify(watch, name, isAddress)
      try Self.check(tls_watch_trust(watch, settings.authorities), "the authorities in \(settings.place) cannot be used")
    }
    if let certificate = settings.certificate {
      try Self.check(tls_watch_certificate(watch, certificate), "the client certificate in \(certificate) cannot be used")
      let key = settings.key ?? certificate
      try Self.check(tls_watch_key(watch, key), "the client certificate's key in \(key) cannot be used")
    }
    if !isReady { throw AMQPError(.connection, "\(name) is no name that a certificate can be for") }
  }

  deinit { tls_watch_free(watch) }

  /// OpenSSL's `SSL *`; nil before the handshake.
  var ssl: UnsafeMutableRawPointer? { tls_watch_ssl(watch) }
  /// Whether the client's certificate, or the lack of one, may be what the server does not like.
  private var isDoubtful: Bool { !isLoggedIn && tls_watch_was_asked(watch) }

  private static func check(_ done: Bool, _ sentence: String) throws(AMQPError) {
    if !done { throw AMQPError(.connection, "\(sentence): \(String(cString: tls_take_fault().text))") }
  }

  /// Such as `TLSv1.3`; says where the server was not verified.
  var description: String { String(cString: tls_version(ssl)) + (settings.verifiesServer ? "" : ", unverified") }

  /// Whether a try at an address came as far as the handshake.
  var began: Bool { ssl != nil }

  /// Bytes that `poll` on the socket does not tell of.
  var hasPending: Bool { tls_has_pending(ssl) }

  /// How many bytes were taken; 0 where the socket takes none now.
  func write(_ bytes: UnsafeRawPointer, _ count: Int) throws(AMQPError) -> Int {
    let taken = tls_watch_write(watch, bytes, count)
    if taken < 0 { throw AMQPError(.connection, "writing to RabbitMQ: \(failure())") }
    return taken
  }

  /// Why the last call of librabbitmq failed, where that was within TLS.
  func failure() -> String {
    let fault = tls_take_fault()
    if tls_verdict(ssl) == TLS_VERDICT_OTHER_NAME {
      let names = String(cString: tls_watch_names(watch))
      return "the server's certificate is not for \(name)" + (names.isEmpty ? "" : ", only for \(names)")
    }
    if let complaint = ServerCertificate.complaint(ssl, trusting: settings.place) { return complaint }
    let text = String(cString: fault.text)
    switch fault.kind {
    case TLS_FAULT_NOT_TLS: return "the server does not speak TLS at this port"
    case TLS_FAULT_ALERT: return refusal(Int(fault.alert), text)
    case TLS_FAULT_NONE, TLS_FAULT_CLOSED:
      // From TLS 1.3 on it looks at the client's certificate after the handshake, and its reason may be lost on the way.
      let doubt = isDoubtful ? settings.certificate == nil ? Self.certificateWanted : ": it may not accept the client certificate" : ""
      return "the server closed the connection" + doubt
    default: return "TLS failed: \(text)"
    }
  }

  private static let certificateWanted = ": it wants a client certificate, which certfile and keyfile name"

  /// - Parameter alert: by its number in RFC 8446.
  private func refusal(_ alert: Int, _ text: String) -> String {
    switch alert {
    case 116: return "the server refuses the connection" + Self.certificateWanted
    case 70: return "the server speaks no version of TLS from 1.2 on"
    // handshake_failure, bad_certificate, certificate_expired, unknown_ca, … do not say whose certificate; the server's own was accepted.
    case 40...49 where tls_watch_was_asked(watch):
      return "the server refuses the " + (settings.certificate == nil ? "connection" + Self.certificateWanted : "client certificate: \(text)")
    default: return "the server refuses the connection: \(text)"
    }
  }
}

extension TLSSettings {
  fileprivate var place: String { authorities ?? "the system's store" }
}
