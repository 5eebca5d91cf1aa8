/// How to reach RabbitMQ: `amqp://user:password@host:5672,host2:5672/vhost`, percent-encoded where it must be; with `amqps://` by TLS, at
/// port 5671 where none is named, and with `TLSSettings` behind a `?`.
public struct ConnectionConfiguration: Sendable, CustomStringConvertible {
  public struct Host: Sendable, Equatable {
    public let name: String
    public let port: Int32

    /// `name:port`, as URLs have it.
    public var place: String { name.contains(":") ? "[\(name)]:\(port)" : "\(name):\(port)" }
  }

  public private(set) var hosts: [Host]
  public let user: String
  let password: String
  public let virtualHost: String
  /// Shown by the server's management pages.
  public let name: String
  public let heartbeat: Duration
  /// Nil where nothing is encrypted.
  public let tls: TLSSettings?
  /// For one try at one host, until its channel is open.
  public let connectTimeout: Duration

  /// - Parameter url: Several hosts are divided by commas, and tried in turn from a random one on; an absent or empty path is the virtual
  ///   host `/`.
  public init(url: String, name: String, heartbeat: Duration = .seconds(10), connectTimeout: Duration = .seconds(5)) throws(AMQPError) {
    guard let scheme = url.firstRange(of: "://") else { throw AMQPError(.wrongURL, "the RabbitMQ URL must begin with amqp:// or amqps://") }
    let isEncrypted = url[..<scheme.lowerBound] == "amqps"
    if !isEncrypted && url[..<scheme.lowerBound] != "amqp" { throw AMQPError(.wrongURL, "the RabbitMQ URL must begin with amqp:// or amqps://") }
    var rest = url[scheme.upperBound...]
    var query: Substring = ""
    if let mark = rest.firstIndex(of: "?") {
      query = rest[rest.index(after: mark)...]
      rest = rest[..<mark]
    }
    var path: Substring?
    if let slash = rest.firstIndex(of: "/") {
      path = rest[rest.index(after: slash)...]
      rest = rest[..<slash]
    }
    var credentials: Substring = "guest:guest"
    if let at = rest.lastIndex(of: "@") {
      credentials = rest[..<at]
      rest = rest[rest.index(after: at)...]
    }
    let colon = credentials.firstIndex(of: ":")
    guard let user = Self.decoded(credentials[..<(colon ?? credentials.endIndex)]),
      let password = Self.decoded(colon.map { credentials[credentials.index(after: $0)...] } ?? ""), let vhost = Self.decoded(path ?? "")
    else { throw AMQPError(.wrongURL, "the RabbitMQ URL has a wrong percent-encoding") }
    hosts = try Self.hosts(rest, defaultPort: isEncrypted ? 5671 : 5672)
    let parameters = try Self.parameters(query)
    if !isEncrypted, let stray = TLSSettings.names.first(where: { parameters[$0] != nil }) {
      throw AMQPError(.wrongURL, "the RabbitMQ URL has \(stray), which counts for amqps:// only")
    }
    tls = isEncrypted ? try TLSSettings(parameters) : nil
    self.user = user
    self.password = password
    virtualHost = vhost.isEmpty ? "/" : vhost
    self.name = name
    self.heartbeat = heartbeat
    self.connectTimeout = connectTimeout
  }

  /// The same for each host by itself.
  public var oneForEachHost: [ConnectionConfiguration] {
    hosts.map { host in
      var one = self
      one.hosts = [host]
      return one
    }
  }

  public var description: String { "\(tls == nil ? "amqp" : "amqps")://\(user)@\(hosts.map(\.place).joined(separator: ","))/\(virtualHost)" }

  private static func parameters(_ query: Substring) throws(AMQPError) -> [String: String] {
    var parameters: [String: String] = [:]
    for part in query.split(separator: "&") {
      let equals = part.firstIndex(of: "=") ?? part.endIndex
      guard let name = decoded(part[..<equals]), let value = decoded(part[equals...].dropFirst()) else {
        throw AMQPError(.wrongURL, "the RabbitMQ URL has a wrong percent-encoding")
      }
      parameters[name] = value
    }
    return parameters
  }

  private static func hosts(_ text: Substring, defaultPort: Int32) throws(AMQPError) -> [Host] {
    if text.isEmpty { throw AMQPError(.wrongURL, "the RabbitMQ URL names no host") }
    var hosts: [Host] = []
    let parts = text.split(separator: ",", omittingEmptySubsequences: false)
    for (index, part) in parts.enumerated() {
      // Not quoted: where a password was not escaped, this is a part of it.
      let which = parts.count == 1 ? "the host of the RabbitMQ URL" : "host \(index + 1) of the \(parts.count) in the RabbitMQ URL"
      if part.isEmpty { throw AMQPError(.wrongURL, "\(which) is empty: there is a comma too many") }
      hosts.append(try host(part, called: which, defaultPort: defaultPort))
    }
    return hosts
  }

  private static func host(_ text: Substring, called which: String, defaultPort: Int32) throws(AMQPError) -> Host {
    var name = text
    var port: Substring?
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { throw AMQPError(.wrongURL, "\(which) begins with [ and has no ]") }
      name = text[text.index(after: text.startIndex)..<end]
      let rest = text[text.index(after: end)...]
      guard rest.isEmpty || rest.first == ":" else { throw AMQPError(.wrongURL, "\(which) has more than a port behind its ]") }
      port = rest.isEmpty ? nil : rest.dropFirst()
    } else if let colon = text.firstIndex(of: ":") {
      if text[colon...].dropFirst().contains(":") { throw AMQPError(.wrongURL, "\(which) has more than one colon: an IPv6 address is written in [ ]") }
      name = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    if name.isEmpty { throw AMQPError(.wrongURL, "\(which) has no name") }
    if name.contains(where: \.isWhitespace) { throw AMQPError(.wrongURL, "\(which) has a blank in it") }
    guard let port else { return Host(name: String(name), port: defaultPort) }
    guard let number = UInt16(port), number > 0 else {
      let hint = "@ : / ? # in a password are written %40 %3A %2F %3F %23"
      throw AMQPError(.wrongURL, "\(which) has no valid port, a number from 1 to 65535; \(hint)")
    }
    return Host(name: String(name), port: Int32(number))
  }

  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8[...]
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      guard let high = rest.popFirst(), let low = rest.popFirst(), let value = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16) else {
        return nil
      }
      bytes.append(value)
    }
    return String(validating: bytes, as: UTF8.self)
  }
}
