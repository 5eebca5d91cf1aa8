import CTLS

/// When a certificate runs out: of those that count together, the first one.
public struct CertificateEnd: Sendable, Equatable {
  /// Whom it is for.
  public let name: String
  /// In seconds since 1970.
  public let seconds: Int64

  public init(name: String, seconds: Int64) {
    self.name = name
    self.seconds = seconds
  }

  /// Of what a server showed and what that leads to; nil where it showed none. `ssl` is OpenSSL's `SSL *`.
  public init?(ofServer ssl: UnsafeMutableRawPointer?) {
    var end = tls_end()
    guard tls_chain_end(ssl, &end) else { return nil }
    self.init(end)
  }

  /// Of a PEM file; nil where it cannot be read or has no certificate.
  public init?(ofFile path: String) {
    var end = tls_end()
    guard tls_file_end(path, &end) else { return nil }
    self.init(end)
  }

  private init(_ end: tls_end) {
    name = withUnsafeBytes(of: end.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
    seconds = end.seconds
  }
}
