import Application
import Crypto
import Domain
import FoundationEssentials
import Synchronization

/// Verifies the JWT (RFC 7519) of a message's `authorization` header: signature, times, issuer and audience, then who it is.
package final class TokenVerifier: SenderAuthenticator {
  /// Longer ones are refused unread.
  private static let longestToken = 8_192
  /// Seconds by which clocks may differ.
  private static let leeway = 60.0
  /// Verified tokens that are remembered.
  private static let mostRemembered = 20_000

  private struct Verified {
    let principal: Principal
    let notBefore: Double
    let expiresAt: Double
  }

  private struct Memory {
    /// The keys that these were verified with: a key that is withdrawn takes its tokens along.
    var keys: [UInt8] = []
    var tokens: [SHA256Digest: Verified] = [:]
  }

  private let keys: SenderKeys
  private let issuer: String?
  private let audience: String?
  private let now: @Sendable () -> Timestamp
  private let memory = Mutex(Memory())

  /// `issuer` and `audience` are checked where they are given.
  package init(keys: SenderKeys, issuer: String?, audience: String?, now: @escaping @Sendable () -> Timestamp) {
    self.keys = keys
    self.issuer = issuer
    self.audience = audience
    self.now = now
  }

  package var verifies: Bool { true }
  package func keysLookedAt() async { await keys.lookedAt() }

  package func authenticate(_ message: Message) throws(AuthenticationFault) -> Principal {
    guard let header = message.headers.first(where: { $0.name.lowercased() == "authorization" }) else {
      throw .refused("there is no token: the header authorization is missing")
    }
    guard let text = header.value.text else { throw .refused("the header authorization must be a text") }
    return try authenticate(bearer: text)
  }

  /// Of the value of an `authorization` header.
  package func authenticate(bearer text: String) throws(AuthenticationFault) -> Principal {
    guard text.utf8.count > 7, text.utf8.prefix(7).elementsEqual("Bearer ".utf8) || text.prefix(7).lowercased() == "bearer " else {
      throw .refused("the header authorization must be `Bearer` and a token")
    }
    let token = Array(text.utf8.dropFirst(7))
    guard token.count <= Self.longestToken else { throw .refused("the token has \(token.count) bytes, and \(Self.longestToken) is the most") }
    let keys: KeySet
    do throws(KeySourceFault) {
      keys = try self.keys.current()
    } catch {
      throw .keysUnavailable(error.sentence)
    }
    let digest = SHA256.hash(data: token)
    if let known = remembered(digest, keys.identity) { return try judge(known) }
    let verified = try verify(token, keys)
    remember(digest, verified, keys.identity)
    return try judge(verified)
  }

  /// What only time changes.
  private func judge(_ verified: Verified) throws(AuthenticationFault) -> Principal {
    let now = Double(now().microseconds) / 1_000_000
    if now < verified.notBefore - Self.leeway { throw .refused("the token is not valid yet (nbf)") }
    if now >= verified.expiresAt + Self.leeway { throw .expired(verified.principal, "token_expired: the token has expired (exp)") }
    return verified.principal
  }

  private func verify(_ token: [UInt8], _ keys: KeySet) throws(AuthenticationFault) -> Verified {
    let parts = token.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header: TokenHeader = Self.decode(parts[0]) else { throw .refused("the token is not a signed JWT") }
    guard header.crit == nil else { throw .refused("the token asks for extensions (crit) that are not known here") }
    guard let algorithm = TokenAlgorithm(rawValue: header.alg) else {
      throw .refused("the token's alg must be one of \(TokenAlgorithm.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    let key: VerificationKey
    switch keys.match(id: header.kid, algorithm) {
    case .key(let found): key = found
    case .unknownID: throw .unknownKey("the token's key (kid) is not known")
    case .none(let sentence): throw .refused(sentence)
    }
    guard let signature = Base64URL.decode(parts[2]), key.verifies(signature, of: token[..<parts[1].endIndex]) else {
      throw .refused("the token's signature is wrong")
    }
    guard let claims: TokenClaims = Self.decode(parts[1]) else {
      throw .refused("the token's claims must be sub, roles (an array of texts), exp (a number) and, where given, tenant, nbf, iss and aud")
    }
    return try verified(claims)
  }

  private func verified(_ claims: TokenClaims) throws(AuthenticationFault) -> Verified {
    if let issuer, claims.iss != issuer { throw .refused("the token is of another issuer (iss)") }
    if let audience, claims.aud?.names.contains(audience) != true { throw .refused("the token is meant for another audience (aud)") }
    guard identifierFault(claims.sub) == nil else { throw .refused("the token's sub must have 1 to 128 characters, none of them a control character") }
    guard let tenant = claims.tenant.map(TenantID.init) ?? .standard else { throw .refused("the token's tenant is not the name of one") }
    guard claims.exp.isFinite, (claims.nbf ?? 0).isFinite else { throw .refused("the token's times are no times") }
    // A role that is none of ours gives no right here.
    let principal = Principal(subject: claims.sub, roles: Set(claims.roles.compactMap(Role.init)), tenant: tenant)
    return Verified(principal: principal, notBefore: claims.nbf ?? -.infinity, expiresAt: claims.exp)
  }

  private static func decode<T: Decodable>(_ part: ArraySlice<UInt8>) -> T? {
    Base64URL.decode(part).flatMap { try? JSONDecoder().decode(T.self, from: Data($0)) }
  }

  // MARK: memory

  private func remembered(_ digest: SHA256Digest, _ keys: [UInt8]) -> Verified? {
    memory.withLock { $0.keys == keys ? $0.tokens[digest] : nil }
  }

  private func remember(_ digest: SHA256Digest, _ verified: Verified, _ keys: [UInt8]) {
    let now = Double(now().microseconds) / 1_000_000
    memory.withLock { memory in
      if memory.keys != keys { memory = Memory(keys: keys) }
      if memory.tokens.count >= Self.mostRemembered {
        memory.tokens = memory.tokens.filter { now < $0.value.expiresAt + Self.leeway }
        // Where all are good, to begin anew costs least.
        if memory.tokens.count >= Self.mostRemembered { memory.tokens = [:] }
      }
      memory.tokens[digest] = verified
    }
  }
}

/// The header of a JWS (RFC 7515), as much of it as matters here.
private struct TokenHeader: Decodable {
  struct Anything: Decodable {
    init(from decoder: any Decoder) throws {}
  }
  let alg: String
  let kid: String?
  let crit: Anything?
}

private struct TokenClaims: Decodable {
  /// `aud` is a text or an array of such (RFC 7519, 4.1.3).
  struct Audience: Decodable {
    let names: [String]
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      names = try (try? [container.decode(String.self)]) ?? container.decode([String].self)
    }
  }
  let sub: String
  let roles: [String]
  let tenant: String?
  let exp: Double
  let nbf: Double?
  let iss: String?
  let aud: Audience?
}
