import Application
import Crypto
import Domain

/// The keys of what the worker tells itself in headers, as a JWK Set (RFC 7517) of `oct` keys with `kid`: the first signs, all verify. To rotate, put a
/// new key first, and take an old one out when nothing sealed by it is under way or in the dead letters' queue any more.
package struct SealingKeys: Sendable {
  struct Key: Sendable {
    let id: String
    let key: SymmetricKey
  }

  let keys: [Key]
  var signing: Key { keys[0] }  // a set without any is none

  /// Throws a sentence, without anything of a key, that says what is wrong.
  package init(_ json: [UInt8]) throws(SealingKeyFault) {
    guard let document = try? JSONParser.parse(json), document.root.kind == .object, let list = document.field("keys", of: document.root),
      list.kind == .array
    else { throw SealingKeyFault("it is no JWK Set: a JSON object with an array `keys`") }
    var keys: [Key] = []
    var fault: String?
    document.forEachElement(of: list) { position, node in
      func text(_ name: StaticString) -> String? { document.field(name, of: node).flatMap { $0.kind == .string ? document.text($0) : nil } }
      let place = "key \(position + 1)"
      guard text("kty") == "oct" else { fault = "\(place): `kty` must be oct"; return false }
      guard text("alg").map({ $0 == "HS256" }) ?? true else { fault = "\(place): `alg` must be HS256"; return false }
      guard let id = text("kid"), !id.isEmpty, id.utf8.count <= 128 else { fault = "\(place): `kid` must have 1 to 128 characters"; return false }
      guard !keys.contains(where: { $0.id == id }) else { fault = "\(place): its `kid` is another key's too"; return false }
      guard let k = text("k").flatMap({ Base64.decode($0.utf8, .url) }), k.count >= 32 else {
        fault = "\(place): `k` must be 32 bytes or more in base64url"
        return false
      }
      keys.append(Key(id: id, key: SymmetricKey(data: k)))
      return true
    }
    if let fault { throw SealingKeyFault(fault) }
    if keys.isEmpty { throw SealingKeyFault("it has no key") }
    self.keys = keys
  }
}

package struct SealingKeyFault: Error, Equatable, Sendable {
  package let sentence: String
  init(_ sentence: String) { self.sentence = sentence }
}

/// Seals with HS256 (RFC 7515, 7518), so that nobody else can write `x-order-principal`, and none can be lifted to another message.
package struct SignedJourneySeal: JourneySeal {
  /// What is not to be kept goes through at most a few queues; a worker may have been away for long.
  private static let lifetime = Duration.seconds(30 * 86_400)

  private let keys: SealingKeys
  private let header: [UInt8]
  private let now: @Sendable () -> Timestamp

  package init(keys: SealingKeys, now: @escaping @Sendable () -> Timestamp) {
    self.keys = keys
    self.now = now
    var json = JSONWriter(capacity: 64)
    json.raw("{\"alg\":\"HS256\"")
    json.member("kid", keys.signing.id)
    json.raw("}")
    header = json.bytes
  }

  package func seal(_ sealed: SealedJourney, isToBeKept: Bool) -> String {
    let expiresAt = isToBeKept ? nil : (now() + Self.lifetime).microseconds / 1_000_000
    var text = CompactJWS.signingInput(header: header, payload: SealedClaims.write(sealed, expiresAt: expiresAt))
    let signature = Array(HMAC<SHA256>.authenticationCode(for: text, using: keys.signing.key))
    text.append(UInt8(ascii: "."))
    Base64.appendURL(signature, to: &text)
    return String(decoding: text, as: UTF8.self)
  }

  package func open(_ header: String, messageID: String?, type: String?, bodyHash: [UInt8]) -> SealedJourney? {
    guard let jws = CompactJWS(header), jws.text("alg") == "HS256", let id = jws.text("kid"), let key = keys.keys.first(where: { $0.id == id }),
      HMAC<SHA256>.isValidAuthenticationCode(jws.signature, authenticating: jws.signingInput, using: key.key),
      let expiresAt = SealedClaims.expiry(jws.payload), now().microseconds / 1_000_000 < expiresAt
    else { return nil }
    return SealedClaims.read(jws.payload, of: messageID, type, bodyHash)
  }
}
