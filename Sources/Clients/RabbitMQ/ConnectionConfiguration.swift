/// How to reach RabbitMQ: `amqp://user:password@host:5672,host2:5672/vhost`, percent-encoded where it must be.
public struct ConnectionConfiguration: Sendable, CustomStringConvertible {
  public struct Host: Sendable, Equatable {
    public let name: String
    public let port: Int32
  }

  public let hosts: [Host]
  public let user: String
  let password: String
  public let virtualHost: String
  /// Shown by the server's management pages.
  public let name: String
  public let heartbeat: Duration
  public let connectTimeout: Duration

  /// - Parameter url: Several hosts are divided by commas and tried in turn; an absent or empty path is the virtual host `/`.
  public init(url: String, name: String, heartbeat: Duration = .seconds(10), connectTimeout: Duration = .seconds(5)) throws(AMQPError) {
    guard let scheme = url.firstRange(of: "://") else { throw AMQPError(.wrongURL, "the RabbitMQ URL must begin with amqp://") }
    switch url[..<scheme.lowerBound] {
    case "amqp": break
    case "amqps": throw AMQPError(.wrongURL, "amqps:// is not supported yet: use amqp:// inside a network that you trust")
    default: throw AMQPError(.wrongURL, "the RabbitMQ URL must begin with amqp://")
    }
    var rest = url[scheme.upperBound...]
    if let query = rest.firstIndex(of: "?") { rest = rest[..<query] }
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
    var hosts: [Host] = []
    for part in rest.split(separator: ",") {
      guard let host = Self.host(part) else { throw AMQPError(.wrongURL, "the RabbitMQ URL has no valid host and port") }
      hosts.append(host)
    }
    guard !hosts.isEmpty else { throw AMQPError(.wrongURL, "the RabbitMQ URL names no host") }
    self.hosts = hosts
    self.user = user
    self.password = password
    virtualHost = vhost.isEmpty ? "/" : vhost
    self.name = name
    self.heartbeat = heartbeat
    self.connectTimeout = connectTimeout
  }

  public var description: String { "amqp://\(user)@\(hosts.map { "\($0.name):\($0.port)" }.joined(separator: ","))/\(virtualHost)" }

  private static func host(_ text: Substring) -> Host? {
    if text.hasPrefix("["), let end = text.firstIndex(of: "]") {
      let name = String(text[text.index(after: text.startIndex)..<end])
      let port = text[text.index(after: end)...].dropFirst()
      return port.isEmpty ? Host(name: name, port: 5672) : UInt16(port).map { Host(name: name, port: Int32($0)) }
    }
    guard let colon = text.firstIndex(of: ":") else { return text.isEmpty ? nil : Host(name: String(text), port: 5672) }
    guard let port = UInt16(text[text.index(after: colon)...]), colon > text.startIndex else { return nil }
    return Host(name: String(text[..<colon]), port: Int32(port))
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
