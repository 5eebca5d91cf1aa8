import Application
import Domain
import Foundation
import JWTAdapter
import Synchronization
import TestSupport
import TokenSupport
import Testing

/// Keys that come and go.
@Suite struct SenderKeysTests {
  private static let old = TokenForge.ec("old")
  private static let new = TokenForge.ec("new")

  /// What a test says that there is; nil: the source is away.
  private final class Shelf: KeySource {
    private let state = Mutex<(keys: [TokenForge]?, looks: Int)>(([], 0))
    init(_ keys: [TokenForge]?) { state.withLock { $0.keys = keys } }
    var keys: [TokenForge]? {
      get { state.withLock { $0.keys } }
      set { state.withLock { $0.keys = newValue } }
    }
    var looks: Int { state.withLock { $0.looks } }
    func fetch() async throws(KeySourceFault) -> KeySet {
      let keys = state.withLock { state in
        state.looks += 1
        return state.keys
      }
      guard let keys else { throw KeySourceFault("the shelf is away") }
      return try await KeySet(jwks: Array(TokenForge.jwks(keys).utf8), secret: nil)
    }
    func close() async {}
  }

  private static func verifier(_ keys: SenderKeys) -> TokenVerifier {
    TokenVerifier(keys: keys, issuer: nil, audience: nil) { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }
  }

  private static func word(_ verifier: TokenVerifier, _ forge: TokenForge) -> String {
    do throws(AuthenticationFault) {
      _ = try verifier.authenticate(bearer: "Bearer " + forge.token(TokenForge.claims()))
      return "good"
    } catch {
      switch error {
      case .refused: return "refused"
      case .expired: return "expired"
      case .unknownKey: return "unknown"
      case .keysUnavailable: return "unavailable"
      }
    }
  }

  @Test func aNewKeyIsFoundAndAWithdrawnOneTakesItsTokensAlong() async throws {
    let shelf = Shelf([Self.old])
    let keys = SenderKeys(source: shelf, settings: .init())
    let verifier = Self.verifier(keys)
    #expect(Self.word(verifier, Self.old) == "unavailable", "nothing was fetched yet")
    await keys.look()
    let remembered = Self.old.token(TokenForge.claims())
    _ = try verifier.authenticate(bearer: "Bearer " + remembered)
    #expect(Self.word(verifier, Self.new) == "unknown")
    shelf.keys = [Self.old, Self.new]
    await keys.look()
    #expect(Self.word(verifier, Self.old) == "good" && Self.word(verifier, Self.new) == "good")
    shelf.keys = [Self.new]
    await keys.look()
    #expect(throws: AuthenticationFault.self) { try verifier.authenticate(bearer: "Bearer " + remembered) }
    #expect(Self.word(verifier, Self.new) == "good")
  }

  @Test func whatWasFetchedLastServesForAWhileWhenTheSourceIsAway() async {
    let shelf = Shelf([Self.old])
    let states = Mutex<[SenderKeys.State]>([])
    let keys = SenderKeys(source: shelf, settings: .init(staleLimit: .milliseconds(300))) { state in states.withLock { $0.append(state) } }
    let verifier = Self.verifier(keys)
    await keys.look()
    shelf.keys = nil
    await keys.look()
    #expect(Self.word(verifier, Self.old) == "good")
    #expect(await eventually { Self.word(verifier, Self.old) == "unavailable" }, "past the bound")
    await keys.look()
    #expect(states.withLock { $0 } == [.good, .stale("the shelf is away"), .unavailable("the shelf is away")])
    shelf.keys = [Self.old]
    await keys.look()
    #expect(Self.word(verifier, Self.old) == "good")
  }

  @Test func manyThatWaitForAKeyCauseOneLookAfterThePause() async {
    let shelf = Shelf([Self.old])
    let keys = SenderKeys(source: shelf, settings: .init(refresh: .seconds(600), leastPause: .milliseconds(400)))
    await keys.look()
    let running = Task { await keys.run() }
    let began = ContinuousClock.now
    shelf.keys = [Self.new]
    await withDiscardingTaskGroup { group in
      for _ in 0..<100 { group.addTask { await keys.lookedAt() } }
    }
    #expect(ContinuousClock.now - began >= .milliseconds(300) && shelf.looks == 2)
    #expect(Self.word(Self.verifier(keys), Self.new) == "good")
    running.cancel()
    await running.value
  }

  @Test func whoWaitsIsLetGoWhenItIsCancelled() async {
    let keys = SenderKeys(source: Shelf([Self.old]), settings: .init())  // nobody looks
    let waiting = Task { await keys.lookedAt() }
    waiting.cancel()
    await waiting.value
  }

  @Test func keysAreFetchedAgainWhenTheirTimeIsOver() async {
    let shelf = Shelf([Self.old])
    let keys = SenderKeys(source: shelf, settings: .init(refresh: .milliseconds(200), leastPause: .milliseconds(100)))
    let running = Task { await keys.run() }
    #expect(await eventually { shelf.looks >= 3 })
    running.cancel()
    await running.value
  }

  /// Sets that are none, with a word of why.
  @Test(arguments: [
    ("", "JWK Set"), ("[]", "JWK Set"), (#"{"keys":{}}"#, "JWK Set"), (#"{"keys":[]}"#, "no key"), (#"{"keys":[{"kty":"weird"}]}"#, "no key"),
    (TokenForge.jwks([TokenForge(.secret(Array(repeating: 7, count: 32)), id: "s")]), "no key"),
    (#"{"keys":[{"kty":"RSA","e":"AQAB","n":"\#(TokenForge.encode(Array(repeating: 0xC1, count: 128)))"}]}"#, "no key"),
    (#"{"keys":[\#(old.jwk(extra: #","use":"enc""#))]}"#, "no key"), (#"{"keys":[\#(old.jwk(extra: #","alg":"ES512""#))]}"#, "no key"),
    (TokenForge.jwks([old, TokenForge.ec("old")]), "same kid"), (TokenForge.jwks(Array(repeating: old, count: 101)), "101 keys"),
  ]) func whatIsNoKeySetIsToldAsSuch(json: String, word: String) async {
    do throws(KeySourceFault) {
      _ = try await KeySet(jwks: Array(json.utf8), secret: nil)
      Issue.record("taken")
    } catch {
      #expect(error.sentence.contains(word), "\(error.sentence)")
    }
  }

  @Test func keysOfOtherKindsArePassedOver() async throws {
    let others = [
      #"{"kty":"EC","crv":"P-521","x":"AA","y":"AA","kid":"x"}"#, #"{"kty":"new","kid":"y"}"#, "5", Self.old.jwk(extra: #","use":"sig","alg":"ES256""#),
    ]
    _ = try await KeySet(jwks: Array(#"{"keys":[\#(others.joined(separator: ","))]}"#.utf8), secret: nil)
  }

  @Test func aShortSecretIsNone() async {
    await #expect(throws: KeySourceFault.self) { try await KeySet(jwks: nil, secret: Array(repeating: 1, count: 31)) }
    #expect(SharedSecret(Array("abc\n".utf8)).bytes == Array("abc".utf8) && SharedSecret(Array("abc\n\n".utf8)).bytes == Array("abc\n".utf8))
  }
}
