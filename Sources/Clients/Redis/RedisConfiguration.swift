/// How to reach a Redis server.
public struct RedisConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
  public let host: String
  public let port: UInt16
  public let database: Int
  let user: String
  let password: String?
  /// For one try to connect and log in, while no call waits for it.
  let connectTimeout: Duration

  /// - Parameter url: `redis://[user:password@]host[:port][/database]`, percent-encoded where needed.
  public init(url: String, connectTimeout: Duration = .seconds(2)) throws(RedisConfigurationError) {
    guard let scheme = url.firstRange(of: "://") else { throw Self.malformed }
    switch url[..<scheme.lowerBound].lowercased() {
    case "redis": break
    case "rediss":
      throw RedisConfigurationError(
        description:
          "rediss:// needs TLS, which the hiredis library used here (0.14) does not have: use redis:// to a TLS tunnel on this machine (stunnel, a sidecar), or inside a network that you trust"
      )
    default: throw Self.malformed
    }
    var rest = url[scheme.upperBound...]
    var credentials: Substring?
    if let at = rest.lastIndex(of: "@") {
      credentials = rest[..<at]
      rest = rest[rest.index(after: at)...]
    }
    let parts = rest.split(separator: "/", maxSplits: 1, omittingEmptySubsequences: false)
    let (host, port) = try Self.address(parts[0])
    guard let database = parts.count == 1 || parts[1].isEmpty ? 0 : Int(parts[1]), database >= 0 else { throw Self.malformed }
    let words = credentials?.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false) ?? []
    guard let decoded = words.map({ $0.percentDecoded }) as? [String] else { throw Self.malformed }
    if decoded.count == 1 { throw RedisConfigurationError(description: "the Redis URL names a user without a password; write redis://:password@host") }
    self.host = host
    self.port = port
    self.database = database
    user = decoded.first ?? ""
    password = decoded.last.flatMap { $0.isEmpty ? nil : $0 }
    self.connectTimeout = connectTimeout
  }

  /// The server in words, without the password.
  public var description: String { "\(host):\(port)/\(database)" }
  public var customMirror: Mirror { Mirror(self, children: ["server": description]) }

  private static var malformed: RedisConfigurationError {
    RedisConfigurationError(description: "the Redis URL is not of the form redis://[user:password@]host[:port][/database]")
  }

  private static func address(_ text: Substring) throws(RedisConfigurationError) -> (String, UInt16) {
    var host = text
    var port: Substring = "6379"
    if text.first == "[" {
      guard let end = text.firstIndex(of: "]") else { throw malformed }
      host = text[text.index(after: text.startIndex)..<end]
      let after = text[text.index(after: end)...]
      if !after.isEmpty {
        guard after.first == ":" else { throw malformed }
        port = after.dropFirst()
      }
    } else if let colon = text.firstIndex(of: ":") {
      host = text[..<colon]
      port = text[text.index(after: colon)...]
    }
    guard !host.isEmpty, !host.contains(where: { $0 == ":" && text.first != "[" || $0 == "?" || $0.isWhitespace }), let port = UInt16(port), port > 0
    else { throw malformed }
    return (String(host), port)
  }
}

extension Substring {
  /// Nil where a `%` is not followed by two hexadecimal digits.
  fileprivate var percentDecoded: String? {
    var bytes: [UInt8] = []
    var rest = Substring(self).utf8[...]
    while let byte = rest.popFirst() {
      if byte != UInt8(ascii: "%") {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, let value = UInt8(String(decoding: digits, as: UTF8.self), radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
