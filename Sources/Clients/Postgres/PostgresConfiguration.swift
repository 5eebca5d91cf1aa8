import CPostgres

/// How to reach a PostgreSQL server, and the limits that each session starts with.
///
/// Several hosts are tried one after the other; the first that accepts writes is taken, and left once it does not any more.
public struct PostgresConfiguration: Sendable, CustomStringConvertible, CustomReflectable {
  /// libpq's parameters, one list for each host.
  private(set) var hosts: [[(keyword: String, value: String)]]
  /// For each host.
  let connectTimeout: Duration
  /// What the server reports as on where it has become one that is not to be used.
  private(set) var mustBeOff: [String]
  /// The role that each session takes.
  let role: String?
  /// The server in words, without the password.
  public private(set) var description: String

  /// - Parameters:
  ///   - url: `postgres://`, `postgresql://` or libpq's `keyword=value` form. What it sets wins over the defaults here.
  ///   - schema: The only schema in `search_path`; nil leaves it to the server.
  ///   - role: The role that each session takes, if the server has it: without membership in it there is no connection.
  ///   - settings: Other settings of the session, as `name=value` without spaces.
  public init(
    url: String, applicationName: String = "swift", schema: String? = nil, role: String? = nil, settings sessionSettings: [String] = [],
    connectTimeout: Duration = .seconds(5),
    statementTimeout: Duration = .seconds(15), lockTimeout: Duration = .seconds(5), idleInTransactionTimeout: Duration = .seconds(15)
  ) throws(PostgresConfigurationError) {
    self.role = role
    var given = try Self.parse(url)
    let defaults = [
      "fallback_application_name": applicationName, "client_encoding": "UTF8", "keepalives": "1", "keepalives_idle": "10",
      "keepalives_interval": "5", "keepalives_count": "3", "tcp_user_timeout": "15000", "target_session_attrs": "read-write",
    ]
    given.merge(defaults) { own, _ in own }
    given["connect_timeout"] = nil  // counts for libpq's blocking calls only
    var settings = [
      "statement_timeout=\(statementTimeout.wholeMilliseconds)", "lock_timeout=\(lockTimeout.wholeMilliseconds)",
      "idle_in_transaction_session_timeout=\(idleInTransactionTimeout.wholeMilliseconds)",
      // A server that waits for the rest of a pipeline heeds none of these: whether its client is still there only TCP can tell it.
      "tcp_keepalives_idle=10", "tcp_keepalives_interval=5", "tcp_keepalives_count=3", "tcp_user_timeout=15000",
    ]
    if let schema { settings.append("search_path=" + Self.escaped("\"" + schema.replacing("\"", with: "\"\"") + "\"")) }
    settings += sessionSettings
    // Those of the URL come last, and the last one counts.
    given["options"] = (settings.map { "-c \($0)" } + [given["options"]].compactMap(\.self)).joined(separator: " ")
    hosts = try Self.oneListForEachHost(given)
    self.connectTimeout = connectTimeout
    mustBeOff =
      switch given["target_session_attrs"] {
      case "read-write": ["in_hot_standby", "default_transaction_read_only"]
      case "primary": ["in_hot_standby"]
      default: []
      }
    let places = hosts.map(Self.place)
    description = "\(given["user"].map { $0 + "@" } ?? "")\(places.joined(separator: ","))/\(given["dbname"] ?? "")"
  }

  private static func place(_ host: [(keyword: String, value: String)]) -> String {
    func value(_ keyword: String) -> String? { host.first { $0.keyword == keyword && !$0.value.isEmpty }?.value }
    return "\(value("host") ?? value("hostaddr") ?? "localhost"):\(value("port") ?? "5432")"
  }

  /// The same for each host by itself, with its `host:port`; taken whether it accepts writes or not.
  public var oneForEachHost: [(place: String, configuration: PostgresConfiguration)] {
    hosts.map { host in
      var one = self
      one.hosts = [host.filter { $0.keyword != "target_session_attrs" } + [("target_session_attrs", "any")]]
      one.mustBeOff = []
      one.description = Self.place(host)
      return (one.description, one)
    }
  }

  /// The files that the URL itself names: what to show, and its key.
  public var tlsFiles: (certificate: String?, key: String?) {
    func file(_ keyword: String) -> String? { hosts[0].first { $0.keyword == keyword && !$0.value.isEmpty }?.value }
    return (file("sslcert"), file("sslkey"))
  }

  public var customMirror: Mirror { Mirror(self, children: ["server": description]) }

  private static func parse(_ url: String) throws(PostgresConfigurationError) -> [String: String] {
    var message: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(url, &message) else {
      // libpq quotes what it does not understand, and that may be the password: only the words before the quotation are kept.
      let reason = message.map { String(cString: $0).prefix { $0 != "\"" && $0 != ":" }.trimmed } ?? "out of memory"
      PQfreemem(message)
      throw PostgresConfigurationError(description: "the database URL is neither postgres://user:password@host:port/name nor a libpq string (\(reason))")
    }
    defer { PQconninfoFree(options) }
    var given: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { given[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    let ports = given["port"]?.split(separator: ",", omittingEmptySubsequences: false) ?? []
    if !ports.allSatisfy({ $0.isEmpty || UInt16($0) != nil }) || given["host"]?.contains("@") == true {
      throw PostgresConfigurationError(description: "the database URL has no valid host and port; @ : / ? # in a password are written %40 %3A %2F %3F %23")
    }
    return given
  }

  /// libpq's own walk along several hosts has no limit of time for each of them in non-blocking mode.
  private static func oneListForEachHost(_ given: [String: String]) throws(PostgresConfigurationError) -> [[(keyword: String, value: String)]] {
    func parts(_ keyword: String) -> [String] { given[keyword].map { $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init) } ?? [] }
    let count = max(1, parts("host").count, parts("hostaddr").count)
    let (addresses, ports) = (parts("hostaddr").count, parts("port").count)
    if ports > 1 && ports != count || addresses > 0 && addresses != count {
      throw PostgresConfigurationError(
        description:
          "the database URL has \(count) hosts and \(addresses > 0 && addresses != count ? "\(addresses) addresses" : "\(ports) ports"): one for each, or one port for all"
      )
    }
    if count > 1, !(0..<count).allSatisfy({ i in ["host", "hostaddr"].contains { parts($0).indices.contains(i) && !parts($0)[i].isEmpty } }) {
      throw PostgresConfigurationError(description: "one of the database URL's \(count) hosts is empty: there is a comma too many")
    }
    return (0..<count).map { index in
      var one = given
      for keyword in ["host", "hostaddr", "port"] {
        let parts = parts(keyword)
        if parts.count > 1 { one[keyword] = index < parts.count ? parts[index] : "" }
      }
      return one.map { ($0.key, $0.value) }
    }
  }

  /// As one word of `options`, where blanks separate and backslashes escape.
  private static func escaped(_ value: String) -> String {
    String(value.flatMap { $0 == "\\" || $0.isWhitespace ? ["\\", $0] : [$0] })
  }
}

extension Duration {
  fileprivate var wholeMilliseconds: Int64 { components.seconds * 1_000 + components.attoseconds / 1_000_000_000_000_000 }
}

extension Substring {
  fileprivate var trimmed: String { String(drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }
}
