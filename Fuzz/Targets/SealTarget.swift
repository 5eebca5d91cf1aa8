import Application
import Domain

@testable import JSONAdapter

/// The worker's own header: as somebody wrote it, and over claims that somebody chose.
enum SealTarget {
  static func run(_ input: [UInt8]) {
    let text = String(decoding: input, as: UTF8.self)
    expect(Fixed.signed.open(text, messageID: nil, type: nil, bodyHash: []) == nil, "a header without a good signature was believed")
    _ = Fixed.seal.open(text, messageID: nil, type: nil, bodyHash: [])
    base64(input)
    if let keys = try? SealingKeys(input) { expect(!keys.keys.isEmpty, "a set without a key was taken") }
    guard let claims = try? JSONParser.parse(input), claims.root.kind == .object else { return }
    chosen(claims, input)
  }

  private static func chosen(_ claims: JSONDocument, _ input: [UInt8]) {
    func text(_ name: StaticString) -> String? { claims.field(name, of: claims.root).flatMap { $0.kind == .string ? claims.text($0) : nil } }
    let id = text("message_id")
    let type = text("type")
    let hash = text("body_sha256").flatMap { Base64.decode($0.utf8, .url) } ?? []
    var header = CompactJWS.signingInput(header: Array(#"{"alg":"none"}"#.utf8), payload: input)
    header.append(UInt8(ascii: "."))
    guard let sealed = Fixed.seal.open(String(decoding: header, as: UTF8.self), messageID: id, type: type, bodyHash: hash) else { return }
    expect((0...Int(Int32.max)).contains(sealed.journey.attempt), "the attempts are none")
    expect(sealed.principal.map { !$0.subject.utf8.contains(0) } ?? true, "a subject that cannot be stored came through")
    for seal in [Fixed.seal, Fixed.signed] as [any JourneySeal] {
      for isKept in [true, false] {
        let again = seal.open(seal.seal(sealed, isToBeKept: isKept), messageID: id, type: type, bodyHash: hash)
        expect(again == sealed, "what was sealed is read as something else")
      }
      let other = seal.open(seal.seal(sealed, isToBeKept: true), messageID: id, type: type, bodyHash: hash + [0])
      expect(other == nil, "a seal is good for another message")
    }
  }

  /// There is one way to write bytes, and nothing else is read.
  private static func base64(_ input: [UInt8]) {
    for alphabet in [Base64.Alphabet.standard, .url] {
      guard let bytes = Base64.decode(input, alphabet) else { continue }
      var text: [UInt8] = []
      if alphabet == .url { Base64.appendURL(bytes, to: &text) } else { Base64.append(bytes, to: &text) }
      expect(text == input, "Base64 is read that is written in another way")
    }
    var text: [UInt8] = []
    Base64.appendURL(input, to: &text)
    expect(Base64.decode(text, .url) == input, "Base64 is read as other bytes")
  }
}
