import Application
import Domain
import JSONAdapter
import JWTAdapter
import Operations

/// Who senders are, and how the worker signs what it tells itself, as the settings have it.
struct AuthComposition: Sendable {
  let authenticator: any SenderAuthenticator
  let seal: any JourneySeal
  /// Nil where senders are not verified.
  private let keys: SenderKeys?

  /// Fetches nothing yet. `onKeys` is told where the keys stand. Throws a `ConfigurationFaults`.
  init(_ configuration: Configuration, onKeys: @escaping @Sendable (SenderKeys.State) -> Void) throws {
    seal = try AuthRules.sealingKeys(configuration).map { SignedJourneySeal(keys: $0, now: { .now }) } ?? UnsignedJourneySeal()
    guard configuration[.auth] == .required else {
      (authenticator, keys) = (OpenAuthenticator(), nil)
      return
    }
    let keys = SenderKeys(
      source: try Self.source(configuration), settings: .init(refresh: configuration[.jwksRefresh], staleLimit: configuration[.jwksStale]), onState: onKeys)
    self.keys = keys
    authenticator = TokenVerifier(keys: keys, issuer: configuration[.jwtIssuer], audience: configuration[.jwtAudience], now: { .now })
  }

  /// Fetches the keys once.
  func fetchKeys() async { await keys?.look() }

  /// Keeps the keys fresh until the task is cancelled.
  func run() async { await keys?.run() }

  /// To be called once, when nobody fetches any more.
  func close() async { await keys?.close() }

  static func source(_ configuration: Configuration) throws(ConfigurationFaults) -> any KeySource {
    let secretFile = configuration[.jwtSecretFile]
    let read: @Sendable (String) throws(KeySourceFault) -> [UInt8] = { path throws(KeySourceFault) in
      do throws(FileFault) {
        return try WholeFile.read(path)
      } catch {
        throw KeySourceFault(error.reason)
      }
    }
    // What cannot be read from the first is a mistake of the settings; later it is a dependency that is away.
    if let secretFile { _ = try AuthRules.contents(secretFile, of: Setting.jwtSecretFile) }
    if let file = configuration[.jwksFile] { _ = try AuthRules.contents(file, of: Setting.jwksFile) }
    guard let url = configuration[.jwksURL] else { return KeyFiles(jwks: configuration[.jwksFile], secret: secretFile, read: read) }
    return KeyURL(url: url) { () throws(KeySourceFault) in try secretFile.map { path throws(KeySourceFault) in SharedSecret(try read(path)) } }
  }
}
