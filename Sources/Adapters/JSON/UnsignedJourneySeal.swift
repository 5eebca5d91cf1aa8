import Application
import Domain

/// The seal while authentication is off and there is no key: a JWS with `alg` `none` (RFC 7515), which anyone could write and is believed.
package struct UnsignedJourneySeal: JourneySeal {
  private static let header = Array(#"{"alg":"none"}"#.utf8)

  package init() {}

  package func seal(_ sealed: SealedJourney, isToBeKept: Bool) -> String {
    String(decoding: CompactJWS.signingInput(header: Self.header, payload: SealedClaims.write(sealed)) + [UInt8(ascii: ".")], as: UTF8.self)
  }

  package func open(_ header: String, messageID: String?, type: String?, bodyHash: [UInt8]) -> SealedJourney? {
    guard let jws = CompactJWS(header), jws.signature.isEmpty, jws.text("alg") == "none" else { return nil }
    return SealedClaims.read(jws.payload, of: messageID, type, bodyHash)
  }
}
