import Application
import Domain
import JSONAdapter
import TestSupport
import Testing

@Suite struct JourneySealTests {
  private let seal = UnsignedJourneySeal()
  private static let body = Array(CommandFixture.good.utf8)
  private static let hash = Fingerprint(of: body).bytes
  private static let operators = Principal(subject: "olga \"ö\"", roles: [.operator, .viewer], tenant: TenantID("acme")!)

  private static func sealed(
    id: String? = CommandFixture.id, type: String? = "order.create", hash: [UInt8] = hash, principal: Principal? = operators,
    journey: Journey = Journey(attempt: 4, earlyTries: 2, firstFailedAt: Timestamp(microseconds: 1_790_000_000_123_456))
  ) -> SealedJourney {
    SealedJourney(messageID: id, type: type, bodyHash: hash, principal: principal, journey: journey)
  }

  @Test(arguments: [
    sealed(), sealed(principal: nil), sealed(journey: Journey()), sealed(id: nil, type: nil), sealed(principal: .anonymous),
    sealed(principal: Principal(subject: "", roles: [], tenant: .standard)),
  ])
  func whatIsSealedOpensAgain(sealed: SealedJourney) {
    #expect(seal.open(seal.seal(sealed, isToBeKept: false), messageID: sealed.messageID, type: sealed.type, bodyHash: sealed.bodyHash) == sealed)
  }

  @Test func itOpensForItsOwnMessageOnly() {
    let text = seal.seal(Self.sealed(), isToBeKept: false)
    #expect(seal.open(text, messageID: "other", type: "order.create", bodyHash: Self.hash) == nil)
    #expect(seal.open(text, messageID: nil, type: "order.create", bodyHash: Self.hash) == nil)
    #expect(seal.open(text, messageID: CommandFixture.id, type: "order.update_status", bodyHash: Self.hash) == nil)
    #expect(seal.open(text, messageID: CommandFixture.id, type: nil, bodyHash: Self.hash) == nil)
    #expect(seal.open(text, messageID: CommandFixture.id, type: "order.create", bodyHash: Self.hash.reversed()) == nil)
    #expect(seal.open(text, messageID: CommandFixture.id, type: "order.create.v1", bodyHash: Self.hash) != nil, "another name of the same type")
    let composed = seal.seal(Self.sealed(id: "caf\u{E9}"), isToBeKept: false)
    #expect(seal.open(composed, messageID: "caf\u{E9}", type: "order.create", bodyHash: Self.hash) != nil)
    #expect(seal.open(composed, messageID: "cafe\u{301}", type: "order.create", bodyHash: Self.hash) == nil, "another id, of other bytes")
    let versioned = seal.seal(Self.sealed(type: "order.create.v1"), isToBeKept: false)
    #expect(seal.open(versioned, messageID: CommandFixture.id, type: "order.create", bodyHash: Self.hash) == Self.sealed())
    #expect(seal.open(versioned, messageID: CommandFixture.id, type: "order.create.v1", bodyHash: Self.hash) == Self.sealed())
  }

  @Test func itIsAnUnsecuredJWS() throws {
    let parts = seal.seal(Self.sealed(), isToBeKept: false).split(separator: ".", omittingEmptySubsequences: false)
    #expect(parts.count == 3 && parts[0] == "eyJhbGciOiJub25lIn0" && parts[2].isEmpty)
    #expect(parts[1].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == "_") })
  }

  @Test(arguments: [
    "", ".", "..", "...", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJub25lIn0.e30", "eyJhbGciOiJIUzI1NiJ9.e30.", "eyJhbGciOiJub25lIn0.e30.c2ln",
    "e30.e30.",
    "eyJhbGciOiJub25lIn0.!!!.", "eyJhbGciOiJub25lIn0..", "eyJhbGciOiJub25lIn0.W10.",
  ])
  func whatIsNoSealDoesNotOpen(text: String) {
    #expect(seal.open(text, messageID: nil, type: nil, bodyHash: []) == nil)
  }

  @Test func mutilatedSealsNeverCrash() {
    var random = SeededGenerator.forTest(#function)
    let text = Array(seal.seal(Self.sealed(), isToBeKept: false).utf8)
    for _ in 0..<5_000 {
      var copy = text
      copy[Int.random(in: copy.indices, using: &random)] = UInt8.random(in: 0x20..<0x7F, using: &random)
      let opened = seal.open(String(decoding: copy, as: UTF8.self), messageID: CommandFixture.id, type: "order.create", bodyHash: Self.hash)
      #expect(opened.map { $0.bodyHash == Self.hash } ?? true, "seed \(random.seed)")
    }
  }

  private func command(_ header: HeaderValue) -> CommandFixture {
    CommandFixture(CommandFixture.good).changing { $0.message.set("x-order-principal", header) }
  }

  @Test func aRightSealGivesPrincipalAndJourney() throws {
    let envelope = try #require(command(.string(seal.seal(Self.sealed(), isToBeKept: false))).envelope)
    #expect(envelope.principal == Self.operators && envelope.identity.tenant.rawValue == "acme" && envelope.orderKey.tenant.rawValue == "acme")
    #expect(envelope.journey == Self.sealed().journey)
  }

  @Test func withoutASealEveryoneIsAnonymousAtTheStartOfTheJourney() {
    let envelope = CommandFixture(CommandFixture.good).envelope
    #expect(envelope?.principal == .anonymous && envelope?.journey == Journey())
  }

  @Test(arguments: [
    HeaderValue.string("rubbish"), .int32(1), .string(UnsignedJourneySeal().seal(sealed(id: "other"), isToBeKept: false)),
    .string(UnsignedJourneySeal().seal(sealed(type: "order.update_status"), isToBeKept: false)),
    .string(UnsignedJourneySeal().seal(sealed(hash: [1, 2, 3]), isToBeKept: false)),
  ])
  func aWrongSealIsUnauthenticated(header: HeaderValue) throws {
    let refusal = try #require(command(header).refusal)
    #expect(refusal.reason == .unauthenticated && refusal.principal == nil && refusal.error.contains("x-order-principal"))
    #expect(refusal.messageID == CommandFixture.id && refusal.replyTo != nil)
  }

  @Test func aWrongSealComesAfterMalformedAndBeforeUnknownType() {
    #expect(command(.string("rubbish")).changing { $0.message.body = [] }.refusal?.reason == .malformed)
    let unknown = command(.string("rubbish")).changing {
      $0.message.type = "order.explode"
      $0.message.routingKey = "order.explode"
    }
    #expect(unknown.refusal?.reason == .unauthenticated)
  }

  @Test func aSealWithoutPrincipalStillTellsTheJourneyAlsoOfARefusal() throws {
    let body = Array(#"{"customer_id":5}"#.utf8)
    let sealed = Self.sealed(hash: Fingerprint(of: body).bytes, principal: nil)
    let refusal = try #require(command(.string(seal.seal(sealed, isToBeKept: false))).changing { $0.message.body = body }.refusal)
    #expect(refusal.reason == .invalid && refusal.journey == sealed.journey && refusal.principal == .anonymous)
  }

  @Test func anAuthenticatorTellsWhoSentWhatIsNotSealed() throws {
    struct Strict: SenderAuthenticator {
      var verifies: Bool { true }
      func authenticate(_ message: Message) throws(AuthenticationFault) -> Principal {
        guard message.header("authorization")?.text == "Bearer good" else { throw .refused("no token") }
        return JourneySealTests.operators
      }
      func keysLookedAt() async {}
    }
    let decoder = JSONCommandDecoder(
      commandsExchange: "orders.commands", defaultCurrency: Currency("USD")!, replyTo: ReplyToPolicy(ownPrefix: "orders"), seal: UnsignedJourneySeal(),
      authenticator: Strict())
    let fixture = CommandFixture(CommandFixture.good).changing { $0.message.replyTo = "reply.mine" }
    let refusal = try #require(fixture.decoded(by: decoder).refusal)
    #expect(refusal.reason == .unauthenticated && refusal.error == "no token" && refusal.replyTo == nil, "not verified: no named queue")
    let envelope = try #require(fixture.changing { $0.message.set("authorization", .string("Bearer good")) }.decoded(by: decoder).envelope)
    #expect(envelope.principal == Self.operators && envelope.replyTo == "reply.mine")
    #expect(command(.string(seal.seal(Self.sealed(), isToBeKept: false))).decoded(by: decoder).envelope != nil, "a right seal needs no token")
  }
}
