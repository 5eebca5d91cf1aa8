import Crypto
import CryptoExtras
import Domain
import FoundationEssentials
import JWTKit

/// Signs tokens with a key of one's own, for development and for the operator's command line.
package struct TokenMinter: Sendable {
  private let keys: JWTKeyCollection
  private let keyID: String?
  /// The JWK Set (RFC 7517) that verifies what this signs; nil for a shared secret, which must not be shown.
  package let publicKeys: String?

  /// `pem` is PKCS#8 (RFC 5208): an RSA key of 2,048 bits or more, one on the curve P-256, or an Ed25519 key. Throws a sentence.
  package init(privateKey pem: String) async throws(KeySourceFault) {
    let members: [(String, String)]
    let algorithm: TokenAlgorithm
    keys = JWTKeyCollection()
    if let key = try? Insecure.RSA.PrivateKey(pem: pem), let parts = try? key.publicKey.getKeyPrimitives() {
      await keys.add(rsa: key, digestAlgorithm: .sha256)
      members = [("e", Base64URL.encode(parts.publicExponent)), ("kty", "RSA"), ("n", Base64URL.encode(parts.modulus))]
      algorithm = .rs256
    } else if let key = try? P256.Signing.PrivateKey(pemRepresentation: pem), let signing = try? ES256PrivateKey(backing: key) {
      await keys.add(ecdsa: signing)
      let point = key.publicKey.rawRepresentation
      members = [("crv", "P-256"), ("kty", "EC"), ("x", Base64URL.encode(point.prefix(32))), ("y", Base64URL.encode(point.suffix(32)))]
      algorithm = .es256
    } else if let key = try? Curve25519.Signing.PrivateKey(pemRepresentation: pem) {
      await keys.add(eddsa: EdDSA.PrivateKey(backing: key))
      members = [("crv", "Ed25519"), ("kty", "OKP"), ("x", Base64URL.encode(key.publicKey.rawRepresentation))]
      algorithm = .edDSA
    } else {
      throw KeySourceFault("it is no private key in PKCS#8 PEM: RSA of 2,048 bits or more, P-256, or Ed25519")
    }
    func object(_ members: [(String, String)]) -> String { "{" + members.map { "\"\($0.0)\":\"\($0.1)\"" }.joined(separator: ",") + "}" }
    // RFC 7638: the members that make the key, by name, and nothing between them.
    let id = Base64URL.encode(SHA256.hash(data: Array(object(members).utf8)).map { $0 })
    keyID = id
    publicKeys = "{\"keys\":[\(object(members + [("alg", algorithm.rawValue), ("use", "sig"), ("kid", id)]))]}"
  }

  package init(secret: SharedSecret) async throws(KeySourceFault) {
    guard secret.bytes.count >= 32 else { throw KeySourceFault("the secret has \(secret.bytes.count) bytes, and 32 is the least") }
    keys = await JWTKeyCollection().add(hmac: HMACKey(from: secret.bytes), digestAlgorithm: .sha256)
    keyID = nil
    publicKeys = nil
  }

  private struct Payload: JWTPayload {
    let sub: String
    let roles: [String]
    let tenant: String
    let iss: String?
    let aud: String?
    let iat: Int64
    let exp: Int64
    func verify(using algorithm: some JWTAlgorithm) async throws {}
  }

  /// Good from now for `lifetime`.
  package func mint(_ principal: Principal, issuer: String?, audience: String?, lifetime: Duration, now: Timestamp) async throws(KeySourceFault) -> String {
    let payload = Payload(
      sub: principal.subject, roles: Role.allCases.filter(principal.roles.contains).map(\.rawValue), tenant: principal.tenant.rawValue, iss: issuer,
      aud: audience, iat: now.microseconds / 1_000_000, exp: (now + lifetime).microseconds / 1_000_000)
    do {
      return try await keys.sign(payload, header: keyID.map { ["kid": .string($0)] } ?? [:])
    } catch {
      throw KeySourceFault("the token cannot be signed: \(error)")
    }
  }
}
