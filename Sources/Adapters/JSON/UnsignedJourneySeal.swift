import Application
import Domain

/// The seal while authentication is off and there is no key: a JWS with `alg` `none` (RFC 7515), which anyone could write and is believed.
package struct UnsignedJourneySeal: JourneySeal {
  private static let header = Array(#"{"alg":"none"}"#.utf8)

  package init() {}

  package func seal(_ sealed: SealedJourney) -> String {
    var text: [UInt8] = []
    text.reserveCapacity(512)
    Base64.appendURL(Self.header, to: &text)
    text.append(UInt8(ascii: "."))
    Base64.appendURL(SealedClaims.write(sealed), to: &text)
    text.append(UInt8(ascii: "."))
    return String(decoding: text, as: UTF8.self)
  }

  package func open(_ header: String, messageID: String?, type: String?, bodyHash: [UInt8]) -> SealedJourney? {
    let parts = header.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, parts[2].isEmpty else { return nil }
    guard let algorithm = Self.object(parts[0]), let name = algorithm.field("alg", of: algorithm.root), name.kind == .string,
      algorithm.text(name) == "none"
    else { return nil }
    guard let claims = Self.object(parts[1]), let sealed = SealedClaims.read(claims) else { return nil }
    guard sealed.messageID == messageID, sealed.type == type.map(CommandName.canonical), sealed.bodyHash == bodyHash else { return nil }
    return sealed
  }

  private static func object(_ part: Substring.UTF8View) -> JSONDocument? {
    guard let bytes = Base64.decode(part, .url), let document = try? JSONParser.parse(bytes), document.root.kind == .object else { return nil }
    return document
  }
}
