import Domain
import PostgresClient
import RabbitMQClient
import RedisClient

extension SettingKind where Value == String {
  static let text = SettingKind(expectation: "text without control characters", placeholder: "TEXT") { text throws(SettingFault) in
    guard identifierFault(text, longest: 4_096) == nil else { throw SettingFault() }
    return text
  }

  /// Never shown.
  static let secret = SettingKind(expectation: "a secret without control characters", placeholder: "TEXT", masking: .whole) { text throws(SettingFault) in
    guard identifierFault(text, longest: 65_536) == nil else { throw SettingFault() }
    return text
  }

  static let path = SettingKind(expectation: "the path of a file", placeholder: "PATH") { text throws(SettingFault) in
    guard identifierFault(text, longest: 4_096) == nil else { throw SettingFault() }
    return text
  }

  static let host = SettingKind(expectation: "an address or a host's name", placeholder: "HOST") { text throws(SettingFault) in
    guard identifierFault(text, longest: 255) == nil, !text.contains("/"), !text.contains(" ") else { throw SettingFault() }
    return text
  }

  /// What names of queues, exchanges or keys begin with.
  static let prefix = SettingKind(expectation: "1 to 63 letters, digits, dots, dashes or underscores", placeholder: "NAME") { text throws(SettingFault) in
    guard (1...63).contains(text.utf8.count), text.utf8.allSatisfy({ $0.isASCIIWordCharacter || $0 == UInt8(ascii: ".") || $0 == UInt8(ascii: "-") })
    else { throw SettingFault() }
    return text
  }

  /// A name that SQL takes without quotation marks, so that nobody needs them.
  static let schema = SettingKind(
    expectation: "1 to 63 lower-case letters, digits or underscores, a letter or an underscore first", placeholder: "NAME"
  ) { text throws(SettingFault) in
    guard (1...63).contains(text.utf8.count), let first = text.utf8.first, !(0x30...0x39).contains(first),
      text.utf8.allSatisfy({ $0.isASCIIWordCharacter && !(0x41...0x5A).contains($0) })
    else { throw SettingFault() }
    return text
  }

  static func url(_ schemes: String...) -> SettingKind {
    let forms = schemes.map { $0 + "://…" }.joined(separator: " or ")
    return SettingKind(expectation: "a URL \(forms)", placeholder: "URL", masking: .passwordAndQuery) { text throws(SettingFault) in
      guard let scheme = schemes.first(where: { text.lowercased().hasPrefix($0 + "://") }), text.utf8.count > scheme.utf8.count + 3 else {
        throw SettingFault()
      }
      guard identifierFault(text, longest: 4_096) == nil, !text.contains(" ") else { throw SettingFault(detail: "it has blanks or control characters in it") }
      return text
    }
  }

  static let databaseURL = server("postgres://user:password@host:port/name or a libpq string") { _ = try PostgresConfiguration(url: $0) }
  static let amqpURL = server("amqp:// or amqps://user:password@host:port/vhost") { _ = try ConnectionConfiguration(url: $0, name: "") }
  static let redisURL = server("redis://user:password@host:port/database") { _ = try RedisConfiguration(url: $0) }

  /// A server's address, as its client reads it.
  private static func server(_ form: String, check: @escaping @Sendable (String) throws -> Void) -> SettingKind {
    SettingKind(expectation: form, placeholder: "URL", masking: .password) { text throws(SettingFault) in
      do {
        try check(text)
      } catch {
        throw SettingFault(detail: "\(error)")  // the clients' errors name no password
      }
      return text
    }
  }
}

extension SettingKind where Value == Currency {
  static let currency = SettingKind(expectation: "a currency of ISO 4217 such as USD", placeholder: "CODE") { text throws(SettingFault) in
    guard let currency = Currency(text) else { throw SettingFault() }
    return currency
  }
}

extension UInt8 {
  fileprivate var isASCIIWordCharacter: Bool {
    (0x61...0x7A).contains(self) || (0x41...0x5A).contains(self) || (0x30...0x39).contains(self) || self == UInt8(ascii: "_")
  }
}
