/// A JSON Web Signature in its compact form (RFC 7515), taken apart. Nothing of it is believed yet.
struct CompactJWS {
  /// Longer ones are none of ours, and are not read.
  private static let longest = 16_384

  let header: JSONDocument
  let payload: JSONDocument
  let signature: [UInt8]
  /// What the signature is over: the first two parts as they stand.
  let signingInput: ArraySlice<UInt8>

  /// Nil for a text that is no such signature, or whose header or payload is not an object.
  init?(_ text: String) {
    let bytes = Array(text.utf8)
    guard bytes.count <= Self.longest else { return nil }
    let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard parts.count == 3, let header = Self.object(parts[0]), let payload = Self.object(parts[1]), let signature = Base64.decode(parts[2], .url)
    else { return nil }
    self.header = header
    self.payload = payload
    self.signature = signature
    signingInput = bytes[..<parts[1].endIndex]
  }

  /// A header parameter, where it is a text.
  func text(_ name: StaticString) -> String? {
    guard let node = header.field(name, of: header.root), node.kind == .string else { return nil }
    return header.text(node)
  }

  static func signingInput(header: [UInt8], payload: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(768)
    Base64.appendURL(header, to: &text)
    text.append(UInt8(ascii: "."))
    Base64.appendURL(payload, to: &text)
    return text
  }

  private static func object(_ part: ArraySlice<UInt8>) -> JSONDocument? {
    guard let bytes = Base64.decode(part, .url), let document = try? JSONParser.parse(bytes), document.root.kind == .object else { return nil }
    return document
  }
}
