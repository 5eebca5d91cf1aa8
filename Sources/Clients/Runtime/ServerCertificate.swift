import CTLS

/// What was wrong with the certificate that a server showed, in words that fit any client.
public enum ServerCertificate {
  /// Nil where it was accepted or nobody looked at it.
  ///
  /// - Parameters:
  ///   - ssl: OpenSSL's `SSL *`.
  ///   - place: Where the trusted authorities come from.
  public static func complaint(_ ssl: UnsafeMutableRawPointer?, trusting place: String) -> String? {
    switch tls_verdict(ssl) {
    case TLS_VERDICT_GOOD: nil
    case TLS_VERDICT_OTHER_NAME: "the server's certificate is for another name"
    case TLS_VERDICT_EXPIRED: "the server's certificate has expired"
    case TLS_VERDICT_NOT_YET_VALID: "the server's certificate is not valid yet"
    case TLS_VERDICT_UNKNOWN_AUTHORITY: "the server's certificate is signed by no authority in \(place)"
    default: "the server's certificate is not accepted: \(String(cString: tls_verdict_text(ssl)))"
    }
  }
}
