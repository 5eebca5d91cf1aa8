import Crypto
import CryptoExtras
import Foundation

/// Makes tokens of every kind, good ones and bad ones, without the library that the product verifies them with.
public struct TokenForge: Sendable {
  public enum Key: Sendable {
    case rsa(_RSA.Signing.PrivateKey)
    case ec(P256.Signing.PrivateKey)
    case ed25519(Curve25519.Signing.PrivateKey)
    case secret([UInt8])

    public var algorithm: String {
      switch self {
      case .rsa: "RS256"
      case .ec: "ES256"
      case .ed25519: "EdDSA"
      case .secret: "HS256"
      }
    }
  }

  public let key: Key
  public let id: String?

  public init(_ key: Key, id: String? = nil) {
    self.key = key
    self.id = id
  }

  public static func rsa(_ id: String) -> TokenForge { TokenForge(.rsa(try! .init(keySize: .bits2048)), id: id) }
  public static func ed25519(seed: [UInt8]) throws -> TokenForge { TokenForge(.ed25519(try .init(rawRepresentation: seed))) }
  public static func ec(_ id: String) -> TokenForge { TokenForge(.ec(.init()), id: id) }
  public static func ed25519(_ id: String) -> TokenForge { TokenForge(.ed25519(.init()), id: id) }

  /// `claims` and `header` as JSON; a header's `alg` and `kid` are this key's where it has none of its own.
  public func token(_ claims: String, header: String? = nil) -> String {
    let header = header ?? #"{"alg":"\#(key.algorithm)","typ":"JWT"\#(id.map { #","kid":"\#($0)""# } ?? "")}"#
    let input = Self.encode(Array(header.utf8)) + "." + Self.encode(Array(claims.utf8))
    return input + "." + Self.encode(sign(Array(input.utf8)))
  }

  /// A good token's claims, `exp` in seconds from now.
  public static func claims(
    sub: String = "customer-1", roles: String = #"["service"]"#, tenant: String? = nil, expiresIn: Double = 600, more: String = ""
  ) -> String {
    let tenant = tenant.map { #","tenant":"\#($0)""# } ?? ""
    return #"{"sub":"\#(sub)","roles":\#(roles)\#(tenant),"exp":\#(Int(Date().timeIntervalSince1970 + expiresIn))\#(more)}"#
  }

  /// The public half as a JWK. `extra` are more members, with a comma before each.
  public func jwk(extra: String = "") -> String {
    let id = id.map { #","kid":"\#($0)""# } ?? ""
    switch key {
    case .rsa(let key):
      let parts = try! key.publicKey.getKeyPrimitives()
      return #"{"kty":"RSA","n":"\#(Self.encode(Array(parts.modulus)))","e":"\#(Self.encode(Array(parts.publicExponent)))"\#(id)\#(extra)}"#
    case .ec(let key):
      let point = Array(key.publicKey.rawRepresentation)
      return #"{"kty":"EC","crv":"P-256","x":"\#(Self.encode(Array(point.prefix(32))))","y":"\#(Self.encode(Array(point.suffix(32))))"\#(id)\#(extra)}"#
    case .ed25519(let key): return #"{"kty":"OKP","crv":"Ed25519","x":"\#(Self.encode(Array(key.publicKey.rawRepresentation)))"\#(id)\#(extra)}"#
    case .secret(let secret): return #"{"kty":"oct","k":"\#(Self.encode(secret))"\#(id)\#(extra)}"#
    }
  }

  public static func jwks(_ keys: [TokenForge]) -> String { #"{"keys":[\#(keys.map { $0.jwk() }.joined(separator: ","))]}"# }

  /// PKCS#8 PEM; nil for a secret.
  public var pem: String? {
    switch key {
    case .rsa(let key): key.pkcs8PEMRepresentation
    case .ec(let key): key.pemRepresentation
    case .ed25519(let key): key.pemRepresentation
    case .secret: nil
    }
  }

  /// The public half of an RSA key, as PEM.
  public var publicPEM: String? { if case .rsa(let key) = key { key.publicKey.pemRepresentation } else { nil } }

  private func sign(_ input: [UInt8]) -> [UInt8] {
    switch key {
    case .rsa(let key): Array(try! key.signature(for: SHA256.hash(data: input), padding: .insecurePKCS1v1_5).rawRepresentation)
    case .ec(let key): Array(try! key.signature(for: input).rawRepresentation)
    case .ed25519(let key): Array(try! key.signature(for: input))
    case .secret(let secret): Array(HMAC<SHA256>.authenticationCode(for: input, using: SymmetricKey(data: secret)))
    }
  }

  /// base64url without padding.
  public static func encode(_ bytes: [UInt8]) -> String {
    Data(bytes).base64EncodedString().replacingOccurrences(of: "+", with: "-").replacingOccurrences(of: "/", with: "_")
      .replacingOccurrences(of: "=", with: "")
  }
}
