import CPostgres
import CTLS
import ClientRuntime

extension PostgresConnection {
  /// OpenSSL's `SSL *`; nil where nothing is encrypted, and before the handshake.
  var ssl: UnsafeMutableRawPointer? { PQsslStruct(handle, "OpenSSL") }

  /// Such as ` (TLSv1.3)`, with what was not verified; empty where nothing is encrypted.
  var encryption: String {
    guard let ssl else { return "" }
    let doubt = tls_verifies(ssl) ? option("sslmode") == "verify-full" ? "" : ", name unverified" : ", unverified"
    return " (\(String(cString: tls_version(ssl)))\(doubt))"
  }

  /// What is in force for one of libpq's parameters, wherever it comes from.
  private func option(_ keyword: String) -> String? {
    guard let options = PQconninfo(handle) else { return nil }
    defer { PQconninfoFree(options) }
    var option = options
    while let name = option.pointee.keyword {
      if String(cString: name) == keyword { return option.pointee.val.map { String(cString: $0) } }
      option += 1
    }
    return nil
  }

  /// What was wrong with the server's certificate; nil where it was not that.
  func complaint(about ssl: UnsafeMutableRawPointer?) -> String? {
    let place = option("sslrootcert").flatMap { $0.isEmpty ? nil : $0 } ?? "~/.postgresql/root.crt"
    return ServerCertificate.complaint(ssl, trusting: place).map { "cannot connect to \(host): \($0)" }
  }
}
