import Domain
import Foundation
import JWTAdapter
import TokenSupport
import Testing

@Suite struct TokenMinterTests {
  private static let principal = Principal(subject: "cli:anna", roles: [.operator, .service], tenant: TenantID("shop-a")!)
  private static func now() -> Timestamp { Timestamp(microseconds: Int64(Date().timeIntervalSince1970 * 1_000_000)) }

  private struct Fixed: KeySource {
    let jwks: [UInt8]?
    let secret: [UInt8]?
    func fetch() async throws(KeySourceFault) -> KeySet { try await KeySet(jwks: jwks, secret: secret) }
    func close() async {}
  }

  private static func check(_ minter: TokenMinter, jwks: String?, secret: [UInt8]?) async throws {
    let keys = SenderKeys(source: Fixed(jwks: jwks.map { Array($0.utf8) }, secret: secret), settings: .init())
    await keys.look()
    let verifier = TokenVerifier(keys: keys, issuer: "me", audience: "orders", now: now)
    let token = try await minter.mint(principal, issuer: "me", audience: "orders", lifetime: .seconds(60), now: now())
    #expect(try verifier.authenticate(bearer: "Bearer " + token) == principal)
  }

  @Test(arguments: [TokenForge.rsa("x"), .ec("x"), .ed25519("x")].map { $0.pem! }) func whatAPrivateKeySignsItsPublicHalfVerifies(pem: String) async throws {
    let minter = try await TokenMinter(privateKey: pem)
    try await Self.check(minter, jwks: minter.publicKeys, secret: nil)
  }

  @Test func aSecretSignsAndIsNotShown() async throws {
    let secret = SharedSecret(Array("a secret of more than thirty-two bytes\n".utf8))
    let minter = try await TokenMinter(secret: secret)
    try await Self.check(minter, jwks: nil, secret: secret.bytes)
    #expect(minter.publicKeys == nil)
  }

  @Test func aKeyIsNamedByItsThumbprint() async throws {
    // RFC 8037, appendix A.3, of the key of A.1.
    let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60"
    let bytes = stride(from: 0, to: 64, by: 2).map { UInt8(seed.dropFirst($0).prefix(2), radix: 16)! }
    let minter = try await TokenMinter(privateKey: TokenForge.ed25519(seed: bytes).pem!)
    #expect(minter.publicKeys?.contains(#""kid":"kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k""#) == true)
  }

  @Test(arguments: ["", "no key", TokenForge.rsa("x").publicPEM!]) func whatIsNoPrivateKeyIsToldAsSuch(pem: String) async {
    await #expect(throws: KeySourceFault.self) { try await TokenMinter(privateKey: pem) }
  }
}
