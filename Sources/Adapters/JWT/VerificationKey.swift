import Crypto
import FoundationEssentials
import JWTKit

/// How tokens may be signed. A key is for one of them only, whatever a token's header says.
package enum TokenAlgorithm: String, Sendable, CaseIterable {
  case rs256 = "RS256"
  case es256 = "ES256"
  case edDSA = "EdDSA"
  case hs256 = "HS256"
}

/// A key that verifies tokens, with the one algorithm that it is for.
struct VerificationKey: Sendable {
  /// Nil for a key that is not named; the shared secret has no name.
  let id: String?
  let algorithm: TokenAlgorithm
  private let verifier: any JWTAlgorithm

  /// Of a shared secret.
  init(secret: [UInt8]) async {
    let keys = await JWTKeyCollection().add(hmac: HMACKey(from: secret), digestAlgorithm: .sha256)
    id = nil
    algorithm = .hs256
    verifier = try! await keys.getKey()  // one was just added
  }

  /// Nil for a key of another kind or for another algorithm than those of `TokenAlgorithm`: a key set may hold such, and they are
  /// passed over. A symmetric key in a set that is public is never one.
  init?(_ jwk: JWK) async {
    guard let algorithm = Self.algorithm(of: jwk), jwk.algorithm.map({ $0.rawValue == algorithm.rawValue }) ?? true else { return nil }
    // Of a private key only the public half is wanted.
    var jwk = jwk
    jwk.privateExponent = nil
    id = jwk.keyIdentifier?.string
    jwk.keyIdentifier = JWKIdentifier(string: id ?? "")
    guard let keys = try? await JWTKeyCollection().add(jwk: jwk), let verifier = try? await keys.getKey(alg: algorithm.rawValue) else { return nil }
    self.algorithm = algorithm
    self.verifier = verifier
  }

  /// Whether the holder of this key signed `input`.
  func verifies(_ signature: [UInt8], of input: ArraySlice<UInt8>) -> Bool { (try? verifier.verify(signature, signs: input)) ?? false }

  private static func algorithm(of jwk: JWK) -> TokenAlgorithm? {
    switch jwk.keyType {
    case .rsa: .rs256
    case .ecdsa: jwk.curve == .ecdsa(.p256) ? .es256 : nil
    case .octetKeyPair: jwk.curve == .eddsa(.ed25519) ? .edDSA : nil
    default: nil
    }
  }
}

/// The keys that are good at one time.
package struct KeySet: Sendable {
  /// More than anybody rotates; a set is read while work waits for it.
  private static let mostKeys = 100
  package static let largestDocument = 262_144

  let keys: [VerificationKey]
  package var count: Int { keys.count }
  /// The same for sets that were read from the same texts.
  let identity: [UInt8]

  /// Of a JWK Set (RFC 7517), a shared secret, or both. Throws a sentence, without anything of a key, that says what is wrong.
  package init(jwks: [UInt8]?, secret: [UInt8]?) async throws(KeySourceFault) {
    var keys: [VerificationKey] = []
    var hash = SHA256()
    if let jwks {
      keys = try await Self.read(jwks)
      hash.update(data: jwks)
    }
    if let secret {
      guard secret.count >= 32 else { throw KeySourceFault("the secret has \(secret.count) bytes, and 32 is the least") }
      keys.append(await VerificationKey(secret: secret))
      hash.update(data: SHA256.hash(data: secret).map { $0 })
    }
    self.keys = keys
    identity = Array(hash.finalize())
  }

  private struct Document: Decodable {
    struct Entry: Decodable {
      private struct Use: Decodable { let use: String? }
      /// Nil for a key that is not for signatures, or of a kind that nobody here knows.
      let jwk: JWK?
      init(from decoder: any Decoder) throws {
        let isForSignatures = (try? Use(from: decoder)).map { $0.use ?? "sig" == "sig" } ?? false
        jwk = isForSignatures ? try? JWK(from: decoder) : nil
      }
    }
    let keys: [Entry]
  }

  private static func read(_ jwks: [UInt8]) async throws(KeySourceFault) -> [VerificationKey] {
    guard jwks.count <= largestDocument, let document = try? JSONDecoder().decode(Document.self, from: Data(jwks)) else {
      throw KeySourceFault("it is no JWK Set: a JSON object with an array `keys`, of at most \(largestDocument / 1024) KiB")
    }
    guard document.keys.count <= mostKeys else { throw KeySourceFault("it has \(document.keys.count) keys, and \(mostKeys) is the most") }
    var keys: [VerificationKey] = []
    for entry in document.keys {
      guard let jwk = entry.jwk, let key = await VerificationKey(jwk) else { continue }
      // Of two with one name neither could be told from the other.
      if key.id != nil, keys.contains(where: { $0.id == key.id }) { throw KeySourceFault("two of its keys have the same kid") }
      keys.append(key)
    }
    guard !keys.isEmpty else { throw KeySourceFault("it has no key for RS256 (of 2,048 bits or more), ES256 or EdDSA (Ed25519)") }
    return keys
  }

  enum Match: Sendable {
    case key(VerificationKey)
    case unknownID
    case none(String)
  }

  /// The key that a token names. One without a name goes where only one key could be meant.
  func match(id: String?, _ algorithm: TokenAlgorithm) -> Match {
    if let id, algorithm != .hs256 {
      guard let key = keys.first(where: { $0.id == id }) else { return .unknownID }
      return key.algorithm == algorithm ? .key(key) : .none("the token's key is not for \(algorithm.rawValue)")
    }
    let candidates = keys.filter { $0.algorithm == algorithm }
    guard let key = candidates.first else { return .none("there is no key for \(algorithm.rawValue)") }
    return candidates.count == 1 ? .key(key) : .none("the token does not name its key, and more than one could be meant")
  }
}

/// Why keys cannot be had: a sentence without anything of a key.
package struct KeySourceFault: Error, Equatable, Sendable {
  package let sentence: String
  package init(_ sentence: String) { self.sentence = sentence }
}
