/// Where a provider listens, and what it knows the worker by.
package struct HTTPPaymentEndpoint: Sendable {
  /// Without a slash at the end.
  let base: String
  let token: String?

  /// `url` is `http://` or `https://`, a host, and perhaps a port and a path before all targets.
  package init(url: String, token: String?) throws(HTTPPaymentEndpointFault) {
    guard let scheme = url.firstRange(of: "://"), ["http", "https"].contains(url[..<scheme.lowerBound].lowercased()) else { throw .scheme }
    let rest = url[scheme.upperBound...]
    let authority = rest.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
    if authority.contains("@") { throw .credentials }
    if authority.isEmpty || authority.hasPrefix(":") { throw .host }
    if rest.contains("?") || rest.contains("#") { throw .query }
    var base = url[...]
    while base.last == "/" { base = base.dropLast() }
    if let token, !token.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) { throw .token }
    self.base = url[..<scheme.lowerBound].lowercased() + base[scheme.lowerBound...]
    self.token = token
  }

  /// As far as it may be logged.
  package var name: String { base }
}

/// Why an address or a token is none that can be used.
package enum HTTPPaymentEndpointFault: Error, Hashable, Sendable {
  case scheme, host, credentials, query, token
}
