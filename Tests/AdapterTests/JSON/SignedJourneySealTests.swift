import Application
import Crypto
import Domain
import Foundation
import JSONAdapter
import TokenSupport
import Testing

/// Nobody but the worker can write `x-order-principal`, and none can be used for another message.
@Suite struct SignedJourneySealTests {
  private static let start = Timestamp(microseconds: 1_790_000_000_000_000)
  private static let operators = Principal(subject: "ops", roles: [.operator], tenant: TenantID("shop-a")!)
  private static let body = Array(CommandFixture.good.utf8)

  private static func key(_ id: String, _ byte: UInt8) -> TokenForge { TokenForge(.secret(Array(repeating: byte, count: 32)), id: id) }
  private static let (first, second) = (key("first", 1), key("second", 2))

  private static func seal(_ keys: [TokenForge], at now: Timestamp = start) throws -> SignedJourneySeal {
    SignedJourneySeal(keys: try SealingKeys(Array(TokenForge.jwks(keys).utf8))) { now }
  }

  private static func sealed(journey: Journey = Journey(attempt: 3)) -> SealedJourney {
    SealedJourney(
      messageID: CommandFixture.id, type: "order.create", bodyHash: Fingerprint(of: body).bytes, principal: operators, journey: journey)
  }

  private static func open(_ seal: SignedJourneySeal, _ header: String) -> SealedJourney? {
    seal.open(header, messageID: CommandFixture.id, type: "order.create", bodyHash: Fingerprint(of: body).bytes)
  }

  @Test(arguments: [false, true]) func whatIsSealedIsOpenedAgain(isToBeKept: Bool) throws {
    let seal = try Self.seal([Self.first])
    let replay = Journey(
      attempt: 5, earlyTries: 1, paymentWaits: 2, firstFailedAt: Self.start,
      replay: ReplayMark(letter: DeadLetterKey(tenant: .standard, id: UUIDValue(high: 1, low: 2)), by: "cli:anna"))
    let sealed = Self.sealed(journey: replay)
    #expect(Self.open(seal, seal.seal(sealed, isToBeKept: isToBeKept)) == sealed)
  }

  @Test func anotherKeyAnotherMessageOrAChangedTextOpensNothing() throws {
    let seal = try Self.seal([Self.first])
    let text = seal.seal(Self.sealed(), isToBeKept: false)
    for other in [Self.second, Self.key("first", 9)] {
      let seal = try Self.seal([other])
      #expect(Self.open(seal, text) == nil)
    }
    let hash = Fingerprint(of: Self.body).bytes
    #expect(seal.open(text, messageID: "another", type: "order.create", bodyHash: hash) == nil)
    #expect(seal.open(text, messageID: CommandFixture.id, type: "order.update_status", bodyHash: hash) == nil)
    #expect(seal.open(text, messageID: CommandFixture.id, type: "order.create", bodyHash: Fingerprint(of: [1]).bytes) == nil)
    let bytes = Array(text.utf8)
    for position in bytes.indices {
      var changed = bytes
      changed[position] = changed[position] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
      let opened = Self.open(seal, String(decoding: changed, as: UTF8.self))
      #expect(opened == nil, "a changed byte at \(position)")
    }
  }

  @Test func whatIsNotSignedAsItShouldBeIsNotBelieved() throws {
    let seal = try Self.seal([Self.first])
    let unsigned = UnsignedJourneySeal().seal(Self.sealed(), isToBeKept: false)
    let parts = seal.seal(Self.sealed(), isToBeKept: false).split(separator: ".").map(String.init)
    func header(_ json: String) -> String { TokenForge.encode(Array(json.utf8)) }
    let claims = String(decoding: Data(base64Encoded: Self.padded(parts[1]))!, as: UTF8.self)
    for text in [
      unsigned, "", "..", parts[0] + "." + parts[1] + ".", header(#"{"alg":"none","kid":"first"}"#) + "." + parts[1] + "." + parts[2],
      Self.first.token(claims, header: #"{"alg":"HS256"}"#), Self.first.token(claims, header: #"{"alg":"HS384","kid":"first"}"#),
      Self.first.token(claims, header: #"{"alg":"HS256","kid":"second"}"#), Self.first.token("[]"), Self.first.token("{}"),
      Self.first.token(claims.replacingOccurrences(of: #""exp":"#, with: #""exp":"soon","x":"#)),
    ] { #expect(Self.open(seal, text) == nil, "\(text)") }
    #expect(Self.open(seal, Self.first.token(claims)) != nil, "the forge is right where it is right")
  }

  @Test func whatIsUnderWayRunsOutAndWhatIsKeptDoesNot() throws {
    let seal = try Self.seal([Self.first])
    let (underWay, kept) = (seal.seal(Self.sealed(), isToBeKept: false), seal.seal(Self.sealed(), isToBeKept: true))
    let soon = try Self.seal([Self.first], at: Self.start + .seconds(29 * 86_400))
    let late = try Self.seal([Self.first], at: Self.start + .seconds(31 * 86_400))
    #expect(Self.open(soon, underWay) != nil && Self.open(late, underWay) == nil && Self.open(late, kept) != nil)
  }

  @Test func keysAreRotatedByTheirNames() throws {
    let old = try Self.seal([Self.first])
    let both = try Self.seal([Self.second, Self.first])
    let new = try Self.seal([Self.second])
    let (byOld, byNew) = (old.seal(Self.sealed(), isToBeKept: false), both.seal(Self.sealed(), isToBeKept: false))
    #expect(Self.open(both, byOld) != nil && Self.open(new, byNew) != nil && Self.open(new, byOld) == nil && Self.open(old, byNew) == nil)
  }

  /// Key sets that are none, with a word of why.
  @Test(arguments: [
    ("", "JWK Set"), ("{}", "JWK Set"), (#"{"keys":{}}"#, "JWK Set"), (#"{"keys":[]}"#, "no key"), (#"{"keys":[5]}"#, "kty"),
    (TokenForge.jwks([.ec("x")]), "kty"), (TokenForge.jwks([TokenForge(.secret(Array(repeating: 1, count: 31)), id: "x")]), "32 bytes"),
    (TokenForge.jwks([TokenForge(.secret(Array(repeating: 1, count: 32)))]), "kid"), (TokenForge.jwks([first, key("first", 3)]), "another"),
    (#"{"keys":[\#(first.jwk(extra: #","alg":"HS512""#))]}"#, "alg"), (#"{"keys":[{"kty":"oct","kid":"x","k":"!"}]}"#, "32 bytes"),
  ]) func whatIsNoKeySetIsToldAsSuch(json: String, word: String) {
    do throws(SealingKeyFault) {
      _ = try SealingKeys(Array(json.utf8))
      Issue.record("taken")
    } catch {
      #expect(error.sentence.contains(word), "\(error.sentence)")
    }
  }

  private static func padded(_ text: String) -> String {
    let standard = text.replacingOccurrences(of: "-", with: "+").replacingOccurrences(of: "_", with: "/")
    return standard + String(repeating: "=", count: (4 - standard.count % 4) % 4)
  }
}
