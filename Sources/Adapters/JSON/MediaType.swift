/// What a `content_type` says of a body.
enum MediaType {
  case json
  case structuredEvent
  case other

  init(_ text: String) {
    let bare = text.utf8.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
    if Self.equals(bare, "application/json") {
      self = .json
    } else if Self.equals(bare, "application/cloudevents+json") {
      self = .structuredEvent
    } else {
      self = .other
    }
  }

  /// A `datacontenttype`, which may be of any JSON format.
  static func isJSON(_ text: String) -> Bool {
    let bare = text.utf8.prefix { $0 != UInt8(ascii: ";") && $0 != 0x20 && $0 != 0x09 }
    return equals(bare, "application/json") || equals(bare.suffix(5), "+json")
  }

  private static func equals(_ text: Substring.UTF8View, _ name: StaticString) -> Bool {
    guard text.count == name.utf8CodeUnitCount else { return false }
    return name.withUTF8Buffer { zip($0, text).allSatisfy { expected, byte in expected == ((0x41...0x5A).contains(byte) ? byte | 0x20 : byte) } }
  }
}
