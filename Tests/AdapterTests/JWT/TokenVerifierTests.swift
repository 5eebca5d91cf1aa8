import Application
import Domain
import Foundation
import JWTAdapter
import TokenSupport
import Testing

/// Which tokens are believed, and which are not.
@Suite struct TokenVerifierTests {
  private static let rsa = TokenForge.rsa("rsa-1")
  private static let ec = TokenForge.ec("ec-1")
  private static let ed = TokenForge.ed25519("ed-1")
  private static let secret = Array("a secret of more than thirty-two bytes".utf8)
  private static let hmac = TokenForge(.secret(secret))
  private static let all = [rsa, ec, ed, hmac]

  private struct Fixed: KeySource {
    let jwks: String?
    let secret: [UInt8]?
    func fetch() async throws(KeySourceFault) -> KeySet { try await KeySet(jwks: jwks.map { Array($0.utf8) }, secret: secret) }
    func close() async {}
  }

  private static func verifier(
    jwks: String? = TokenForge.jwks([rsa, ec, ed]), secret: [UInt8]? = secret, issuer: String? = nil, audience: String? = nil,
    now: @escaping @Sendable () -> Timestamp = { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
  ) async -> TokenVerifier {
    let keys = SenderKeys(source: Fixed(jwks: jwks, secret: secret), settings: .init())
    await keys.look()
    return TokenVerifier(keys: keys, issuer: issuer, audience: audience, now: now)
  }

  private static func outcome(_ verifier: TokenVerifier, _ token: String) -> Result<Principal, AuthenticationFault> {
    do throws(AuthenticationFault) { return .success(try verifier.authenticate(bearer: "Bearer " + token)) } catch { return .failure(error) }
  }

  @Test(arguments: all.indices) func aTokenOfEachAlgorithmTellsWhoItIs(of index: Int) async throws {
    let verifier = await Self.verifier()
    let token = Self.all[index].token(TokenForge.claims(sub: "kunde-é", roles: #"["customer","viewer","admin"]"#, tenant: "shop-a"))
    for _ in 0..<2 {  // verified, then remembered
      let principal = try verifier.authenticate(bearer: "Bearer " + token)
      #expect(principal == Principal(subject: "kunde-é", roles: [.customer, .viewer], tenant: TenantID("shop-a")!))
    }
    #expect(try verifier.authenticate(bearer: "bearer " + Self.all[index].token(TokenForge.claims())).tenant == .standard)
  }

  /// Claims that are refused, with a word of why.
  @Test(arguments: [
    (TokenForge.claims(roles: #""service""#), "roles"), (TokenForge.claims(roles: #"[1]"#), "roles"), (TokenForge.claims(roles: "null"), "roles"),
    (TokenForge.claims(roles: #"{"0":"service"}"#), "roles"), (#"{"sub":"a","exp":99999999999}"#, "roles"), (#"{"roles":[],"exp":99999999999}"#, "sub"),
    (#"{"sub":"a","roles":["service"]}"#, "exp"), (#"{"sub":"a","roles":["service"],"exp":"99999999999"}"#, "exp"),
    (#"{"sub":"a","roles":["service"],"exp":1e400}"#, "exp"), (#"{"sub":5,"roles":["service"],"exp":99999999999}"#, "sub"),
    (TokenForge.claims(sub: ""), "sub"), (TokenForge.claims(sub: String(repeating: "a", count: 129)), "sub"), (TokenForge.claims(sub: #"a\u0000"#), "sub"),
    (TokenForge.claims(tenant: "Not A Tenant"), "tenant"), (TokenForge.claims(tenant: ""), "tenant"),
    (TokenForge.claims(more: #","nbf":"soon""#), "nbf"), ("[]", "claims"), ("", "claims"), ("{", "claims"),
  ]) func wrongClaimsAreRefused(claims: String, word: String) async {
    let verifier = await Self.verifier()
    guard case .failure(.refused(let sentence)) = Self.outcome(verifier, Self.rsa.token(claims)) else {
      Issue.record("\(claims) was taken")
      return
    }
    #expect(sentence.contains(word), "\(sentence)")
  }

  @Test func whoeverHasNoKeyGetsNowhere() async {
    let verifier = await Self.verifier()
    let good = TokenForge.claims()
    let rsaToken = Self.rsa.token(good)
    let parts = rsaToken.split(separator: ".").map(String.init)
    let other = TokenForge.claims(sub: "somebody-else")
    let attacks: [(String, String)] = [
      ("", "empty"), ("...", "dots"), ("a.b.c", "rubbish"), (parts[0] + "." + parts[1], "two parts"), (rsaToken + ".x", "four parts"),
      (parts[0] + "." + parts[1] + ".", "no signature"),
      (TokenForge.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + parts[1] + ".", "alg none"),
      (TokenForge.encode(Array(#"{"alg":"None"}"#.utf8)) + "." + parts[1] + "." + parts[2], "alg None"),
      (Self.hmac.token(good, header: #"{"alg":"none"}"#), "alg none, signed"),
      (TokenForge(.secret(Array(Self.rsa.publicPEM!.utf8))).token(good, header: #"{"alg":"HS256","kid":"rsa-1"}"#), "HS256 by the public RSA key"),
      (TokenForge(.secret(Array(Self.rsa.jwk().utf8))).token(good, header: #"{"alg":"HS256"}"#), "HS256 by the JWK"),
      (TokenForge.rsa("rsa-1").token(good), "another's key under a known kid"),
      (Self.ec.token(good, header: #"{"alg":"RS256","kid":"ec-1"}"#), "a key used for another algorithm"),
      (Self.rsa.token(good, header: #"{"alg":"RS512","kid":"rsa-1"}"#), "an algorithm that is none of ours"),
      (Self.rsa.token(good, header: #"{"alg":"RS256","kid":"ec-1"}"#), "another key's name"),
      (Self.rsa.token(good, header: #"{"alg":"RS256","kid":"rsa-1","crit":["exp"],"exp":1}"#), "crit"),
      (Self.rsa.token(good, header: #"{"alg":"RS256","kid":["rsa-1"]}"#), "a kid that is no text"),
      (Self.rsa.token(good, header: #"{"kid":"rsa-1"}"#), "no alg"),
      (parts[0] + "." + TokenForge.encode(Array(other.utf8)) + "." + parts[2], "other claims under a signature"),
      (parts[0] + "." + parts[1] + "." + String(parts[2].dropLast(4)) + "AAAA", "a changed signature"),
      (parts[0] + "." + parts[1] + "." + parts[2] + "=", "padding"), (parts[0] + "." + parts[1] + "\n." + parts[2], "a line feed"),
      (Self.rsa.token(TokenForge.claims(more: #","x":""# + String(repeating: "a", count: 9_000) + #"""#)), "a giant"),
    ]
    for (token, name) in attacks {
      guard case .failure(.refused(let sentence)) = Self.outcome(verifier, token) else {
        Issue.record("\(name) was not refused")
        continue
      }
      for part in token.split(separator: ".") where part.count > 8 { #expect(!sentence.contains(part), "\(name) tells of the token") }
    }
    for value in ["", "Bearer", "Bearer ", rsaToken, "Basic " + rsaToken] {
      #expect(throws: AuthenticationFault.self) { try verifier.authenticate(bearer: value) }
    }
  }

  @Test func aKeyThatIsNotThereYetIsToldFromOneThatIsWrong() async {
    let verifier = await Self.verifier()
    guard case .failure(.unknownKey) = Self.outcome(verifier, TokenForge.rsa("rsa-2").token(TokenForge.claims())) else {
      Issue.record("not unknown")
      return
    }
  }

  @Test func withoutANameOnlyOneKeyMayBeMeant() async throws {
    let nameless = TokenForge(Self.rsa.key)
    let one = await Self.verifier(jwks: TokenForge.jwks([Self.rsa, Self.ec]))
    #expect(try one.authenticate(bearer: "Bearer " + nameless.token(TokenForge.claims())).subject == "customer-1")
    let two = await Self.verifier(jwks: TokenForge.jwks([Self.rsa, .rsa("rsa-2")]))
    #expect(throws: AuthenticationFault.self) { try two.authenticate(bearer: "Bearer " + nameless.token(TokenForge.claims())) }
    let none = await Self.verifier(jwks: TokenForge.jwks([Self.ec]), secret: nil)
    #expect(throws: AuthenticationFault.self) { try none.authenticate(bearer: "Bearer " + nameless.token(TokenForge.claims())) }
    #expect(throws: AuthenticationFault.self) { try none.authenticate(bearer: "Bearer " + Self.hmac.token(TokenForge.claims())) }
  }

  /// Seconds that the token has left, and what it is then.
  @Test(arguments: [(600.0, "good"), (0.0, "good"), (-58.0, "good"), (-62.0, "expired"), (-100_000.0, "expired")])
  func aTokenIsGoodUntilAMinuteAfterItsTime(left: Double, what: String) async {
    let verifier = await Self.verifier()
    switch Self.outcome(verifier, Self.ec.token(TokenForge.claims(sub: "late", expiresIn: left))) {
    case .success: #expect(what == "good")
    case .failure(.expired(let principal, let sentence)):
      #expect(what == "expired" && principal.subject == "late" && principal.roles == [.service] && sentence.hasPrefix("token_expired"))
    case .failure(let fault): Issue.record("\(fault)")
    }
  }

  @Test func aRememberedTokenExpiresToo() async throws {
    let start = Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000))
    let clock = MovingTime(start)
    let verifier = await Self.verifier(now: { clock.now })
    let token = Self.ed.token(TokenForge.claims(expiresIn: 10))
    _ = try verifier.authenticate(bearer: "Bearer " + token)
    clock.now = start + .seconds(75)
    guard case .failure(.expired) = Self.outcome(verifier, token) else {
      Issue.record("still good")
      return
    }
  }

  @Test(arguments: [(50.0, true), (70.0, false)]) func aTokenMayBeginAMinuteEarly(inSeconds: Double, isGood: Bool) async {
    let verifier = await Self.verifier()
    let begins = Int(Date().timeIntervalSince1970 + inSeconds)
    let isTaken = if case .success = Self.outcome(verifier, Self.rsa.token(TokenForge.claims(more: #","nbf":\#(begins)"#))) { true } else { false }
    #expect(isTaken == isGood)
  }

  @Test(arguments: [
    (#","iss":"us","aud":"orders""#, true), (#","iss":"us","aud":["x","orders"]"#, true), (#","iss":"us","aud":[]"#, false), (#","iss":"us""#, false),
    (#","aud":"orders""#, false), (#","iss":"them","aud":"orders""#, false), (#","iss":"us","aud":"order""#, false), (#","iss":["us"],"aud":"orders""#, false),
  ]) func issuerAndAudienceCountWhereTheyAreSet(more: String, isGood: Bool) async {
    let verifier = await Self.verifier(issuer: "us", audience: "orders")
    let isTaken = if case .success = Self.outcome(verifier, Self.rsa.token(TokenForge.claims(more: more))) { true } else { false }
    #expect(isTaken == isGood)
  }

  @Test func theHeaderIsFoundInAnyCaseAndMustBeThere() async throws {
    let verifier = await Self.verifier()
    func message(_ headers: [MessageHeader]) -> Message { Message(exchange: "", routingKey: "", headers: headers, body: []) }
    let bearer = HeaderValue.string("Bearer " + Self.rsa.token(TokenForge.claims()))
    #expect(try verifier.authenticate(message([MessageHeader("Authorization", bearer)])).subject == "customer-1")
    for headers in [[], [MessageHeader("authorization", .int32(1))], [MessageHeader("authorization", .longBytes([0xFF]))]] {
      #expect(throws: AuthenticationFault.self) { try verifier.authenticate(message(headers)) }
    }
  }
}

/// A time that a test moves.
final class MovingTime: @unchecked Sendable {
  private let lock = NSLock()
  private var time: Timestamp
  init(_ time: Timestamp) { self.time = time }
  var now: Timestamp {
    get { lock.withLock { time } }
    set { lock.withLock { time = newValue } }
  }
}
