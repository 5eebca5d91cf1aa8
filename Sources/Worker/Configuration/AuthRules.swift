import JSONAdapter
import JWTAdapter

/// What the settings of the senders' rights must say together.
enum AuthRules {
  static func check(_ configuration: Configuration) throws(ConfigurationFaults) {
    if configuration[.auth] == .off {
      guard configuration[.environment] == .production else { return }
      throw ConfigurationFaults(sentences: [
        "ORDERS_AUTH is off (\(configuration.entry(of: Setting.auth).origin)), which ORDERS_ENV=production does not allow: every sender would have all rights"
      ])
    }
    var faults: [String] = []
    if configuration[.jwksFile] == nil && configuration[.jwksURL] == nil && configuration[.jwtSecretFile] == nil {
      faults.append(
        "ORDERS_AUTH is required (\(configuration.entry(of: Setting.auth).origin)), and nothing says by which keys: set ORDERS_JWT_JWKS_URL, ORDERS_JWT_JWKS_FILE or ORDERS_JWT_HMAC_SECRET_FILE; where you trust all senders, ORDERS_AUTH=off takes their commands as they come"
      )
    }
    if configuration[.jwksFile] != nil && configuration[.jwksURL] != nil {
      faults.append("ORDERS_JWT_JWKS_FILE and ORDERS_JWT_JWKS_URL are both set; one of them is enough")
    }
    if configuration[.jwksStale] < configuration[.jwksRefresh] {
      faults.append(
        "ORDERS_JWT_JWKS_STALE (\(configuration[.jwksStale])) is shorter than ORDERS_JWT_JWKS_REFRESH (\(configuration[.jwksRefresh])): keys would be too old before they are fetched anew"
      )
    }
    if configuration[.signingKeyFile] == nil {
      faults.append(
        "ORDERS_SIGNING_KEY_FILE is not set: with ORDERS_AUTH=required the worker signs what it tells itself in headers; it is a JWK Set of oct keys (docs/security.md says how to make one)"
      )
    }
    if !faults.isEmpty { throw ConfigurationFaults(sentences: faults) }
  }

  /// The keys that seal what the worker tells itself; nil where none are set.
  static func sealingKeys(_ configuration: Configuration) throws(ConfigurationFaults) -> SealingKeys? {
    guard let path = configuration[.signingKeyFile] else { return nil }
    let json = try contents(path, of: Setting.signingKeyFile)
    do throws(SealingKeyFault) {
      return try SealingKeys(json)
    } catch {
      throw ConfigurationFaults(sentences: ["ORDERS_SIGNING_KEY_FILE: \(path): \(error.sentence)"])
    }
  }

  static func contents(_ path: String, of setting: some AnySetting) throws(ConfigurationFaults) -> [UInt8] {
    do throws(FileFault) {
      return try WholeFile.read(path)
    } catch {
      throw ConfigurationFaults(sentences: ["\(setting.name): \(path) cannot be read: \(error.reason)"])
    }
  }
}
