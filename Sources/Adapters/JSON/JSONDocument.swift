/// A parsed JSON text: its bytes, and a flat list of its values in the order of the text.
package struct JSONDocument: Sendable {
  package let bytes: [UInt8]
  private let nodes: [JSONNode]
  /// U+0000 stands, escaped, in some string or member name.
  package let hasNullCharacter: Bool

  init(bytes: [UInt8], nodes: [JSONNode], hasNullCharacter: Bool) {
    self.bytes = bytes
    self.nodes = nodes
    self.hasNullCharacter = hasNullCharacter
  }

  package var root: JSONNode { nodes[0] }

  /// The member of that name; the last one where the name comes twice.
  package func member(_ name: StaticString, of object: JSONNode) -> JSONNode? {
    var found: JSONNode?
    forEachMember(of: object) { key, value in
      if holds(key, name) { found = value }
      return true
    }
    return found
  }

  /// The member of that name, where `null` is an absent one.
  package func field(_ name: StaticString, of object: JSONNode) -> JSONNode? {
    guard let node = member(name, of: object), node.kind != .null else { return nil }
    return node
  }

  /// Goes through an object's members until `body` says no.
  package func forEachMember(of object: JSONNode, _ body: (_ key: JSONNode, _ value: JSONNode) -> Bool) {
    guard object.kind == .object else { return }
    var index = Int(object.index) + 1
    for _ in 0..<object.count {
      let key = nodes[index]
      let value = nodes[index + 1]
      guard body(key, value) else { return }
      index = Int(value.next)
    }
  }

  /// Goes through an array's elements until `body` says no.
  package func forEachElement(of array: JSONNode, _ body: (_ position: Int, _ element: JSONNode) -> Bool) {
    guard array.kind == .array else { return }
    var index = Int(array.index) + 1
    for position in 0..<Int(array.count) {
      let element = nodes[index]
      guard body(position, element) else { return }
      index = Int(element.next)
    }
  }

  /// The text of a value as it stands; a string's without its quotes, not unescaped.
  package func source(_ node: JSONNode) -> ArraySlice<UInt8> { bytes[node.range] }

  /// A string's content as UTF-8.
  package func utf8(_ string: JSONNode) -> ArraySlice<UInt8> {
    string.hasEscapes ? unescaped(string)[...] : source(string)
  }

  package func text(_ string: JSONNode) -> String { String(decoding: utf8(string), as: UTF8.self) }

  private func holds(_ string: JSONNode, _ name: StaticString) -> Bool {
    if string.hasEscapes { return name.withUTF8Buffer { unescaped(string).elementsEqual($0) } }
    let range = string.range
    guard range.count == name.utf8CodeUnitCount else { return false }
    return name.withUTF8Buffer { name in
      for i in 0..<name.count where bytes[range.lowerBound + i] != name[i] { return false }
      return true
    }
  }

  /// The parser has checked every escape and surrogate pair.
  private func unescaped(_ string: JSONNode) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(string.range.count)
    var at = string.range.lowerBound
    while at < string.range.upperBound {
      let byte = bytes[at]
      at += 1
      guard byte == UInt8(ascii: "\\") else {
        result.append(byte)
        continue
      }
      let escape = bytes[at]
      at += 1
      switch escape {
      case UInt8(ascii: "b"): result.append(0x08)
      case UInt8(ascii: "f"): result.append(0x0C)
      case UInt8(ascii: "n"): result.append(0x0A)
      case UInt8(ascii: "r"): result.append(0x0D)
      case UInt8(ascii: "t"): result.append(0x09)
      case UInt8(ascii: "u"):
        var scalar = codeUnit(at)
        at += 4
        if scalar & 0xFC00 == 0xD800 {
          scalar = 0x10000 + (scalar & 0x3FF) << 10 + codeUnit(at + 2) & 0x3FF
          at += 6
        }
        Self.append(scalar, to: &result)
      default: result.append(escape)
      }
    }
    return result
  }

  private func codeUnit(_ at: Int) -> UInt32 {
    var value: UInt32 = 0
    for byte in bytes[at..<at + 4] { value = value << 4 | UInt32(byte & 0x0F) + (byte > 0x39 ? 9 : 0) }
    return value
  }

  private static func append(_ scalar: UInt32, to bytes: inout [UInt8]) {
    func continuation(_ shift: UInt32) -> UInt8 { 0x80 | UInt8(truncatingIfNeeded: scalar >> shift & 0x3F) }
    switch scalar {
    case 0..<0x80: bytes.append(UInt8(scalar))
    case 0x80..<0x800:
      bytes.append(0xC0 | UInt8(scalar >> 6))
      bytes.append(continuation(0))
    case 0x800..<0x10000:
      bytes.append(0xE0 | UInt8(scalar >> 12))
      bytes.append(continuation(6))
      bytes.append(continuation(0))
    default:
      bytes.append(0xF0 | UInt8(scalar >> 18))
      bytes.append(continuation(12))
      bytes.append(continuation(6))
      bytes.append(continuation(0))
    }
  }
}
