/// Reads JSON text strictly (RFC 8259, UTF-8, no byte order mark, no lone surrogates) and no deeper than the contract allows.
///
/// Values are not converted: numbers keep their text, so that money can be read exactly, and strings are unescaped only when asked for.
package struct JSONParser {
  package static let deepestLevel = 32
  private static let longestText = 1 << 30

  private let bytes: [UInt8]
  private let deepest: Int
  private var position = 0
  private var nodes: [JSONNode] = []
  private var hasNullCharacter = false

  private init(_ bytes: [UInt8], deepest: Int) {
    self.bytes = bytes
    self.deepest = deepest
    nodes.reserveCapacity(min(bytes.count / 8 + 8, 4_096))
  }

  /// `levels` is how deep values may be nested: that of messages, but for a text that has a message inside.
  package static func parse(_ bytes: [UInt8], levels: Int = deepestLevel) throws(JSONSyntaxError) -> JSONDocument {
    var parser = JSONParser(bytes, deepest: levels)
    try parser.document()
    return JSONDocument(bytes: bytes, nodes: parser.nodes, hasNullCharacter: parser.hasNullCharacter)
  }

  private mutating func document() throws(JSONSyntaxError) {
    guard bytes.count <= Self.longestText else { throw fault("the text is too long") }
    if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { throw fault("a byte order mark stands") }
    try value(level: 0)
    skipSpace()
    guard position == bytes.count else { throw fault("something follows the end of the JSON value") }
  }

  private mutating func value(level: Int) throws(JSONSyntaxError) {
    skipSpace()
    switch current {
    case UInt8(ascii: "{"): try object(level: level + 1)
    case UInt8(ascii: "["): try array(level: level + 1)
    case UInt8(ascii: "\""): try string()
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try number()
    case UInt8(ascii: "t"): try word("true", .yes)
    case UInt8(ascii: "f"): try word("false", .no)
    case UInt8(ascii: "n"): try word("null", .null)
    default: throw fault("a JSON value is missing")
    }
  }

  private mutating func object(level: Int) throws(JSONSyntaxError) {
    let node = try open(.object, level: level)
    skipSpace()
    if current == UInt8(ascii: "}") { return close(node, count: 0) }
    var count: Int32 = 0
    while true {
      skipSpace()
      guard current == UInt8(ascii: "\"") else { throw fault("a member name in double quotes is missing") }
      try string()
      skipSpace()
      guard current == UInt8(ascii: ":") else { throw fault("a colon is missing") }
      position += 1
      try value(level: level)
      count += 1
      skipSpace()
      if current == UInt8(ascii: "}") { return close(node, count: count) }
      guard current == UInt8(ascii: ",") else { throw fault("a comma or closing brace is missing") }
      position += 1
    }
  }

  private mutating func array(level: Int) throws(JSONSyntaxError) {
    let node = try open(.array, level: level)
    skipSpace()
    if current == UInt8(ascii: "]") { return close(node, count: 0) }
    var count: Int32 = 0
    while true {
      try value(level: level)
      count += 1
      skipSpace()
      if current == UInt8(ascii: "]") { return close(node, count: count) }
      guard current == UInt8(ascii: ",") else { throw fault("a comma or closing bracket is missing") }
      position += 1
    }
  }

  private mutating func number() throws(JSONSyntaxError) {
    let start = position
    if current == UInt8(ascii: "-") { position += 1 }
    if current == UInt8(ascii: "0") {
      position += 1
      if isDigit { throw fault("a number has a leading zero") }
    } else {
      try digits()
    }
    if current == UInt8(ascii: ".") {
      position += 1
      try digits()
    }
    if current | 0x20 == UInt8(ascii: "e") {
      position += 1
      if current == UInt8(ascii: "+") || current == UInt8(ascii: "-") { position += 1 }
      try digits()
    }
    append(.number, start, position)
  }

  private mutating func digits() throws(JSONSyntaxError) {
    guard isDigit else { throw fault("a digit is missing") }
    repeat { position += 1 } while isDigit
  }

  private mutating func word(_ word: StaticString, _ kind: JSONNode.Kind) throws(JSONSyntaxError) {
    let end = position + word.utf8CodeUnitCount
    guard end <= bytes.count, word.withUTF8Buffer({ $0.elementsEqual(bytes[position..<end]) }) else { throw fault("a JSON value is missing") }
    append(kind, position, end)
    position = end
  }

  private mutating func string() throws(JSONSyntaxError) {
    position += 1
    let start = position
    var hasEscapes = false
    while position < bytes.count {
      switch bytes[position] {
      case UInt8(ascii: "\""):
        append(.string, start, position, hasEscapes: hasEscapes)
        position += 1
        return
      case UInt8(ascii: "\\"):
        hasEscapes = true
        try escape()
      case 0..<0x20: throw fault("a control character stands unescaped in a string")
      case 0x20..<0x80: position += 1
      default: try character()
      }
    }
    throw fault("a closing quote is missing")
  }

  private mutating func escape() throws(JSONSyntaxError) {
    position += 1
    switch current {
    case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"), UInt8(ascii: "n"), UInt8(ascii: "r"),
      UInt8(ascii: "t"):
      position += 1
    case UInt8(ascii: "u"):
      let start = position - 1
      position += 1
      let unit = try codeUnit()
      if unit == 0 { hasNullCharacter = true }
      guard unit & 0xF800 == 0xD800 else { return }
      guard unit & 0xFC00 == 0xD800, current == UInt8(ascii: "\\"), position + 1 < bytes.count, bytes[position + 1] == UInt8(ascii: "u") else {
        throw JSONSyntaxError(offset: start, reason: "a lone surrogate stands")
      }
      position += 2
      guard try codeUnit() & 0xFC00 == 0xDC00 else { throw JSONSyntaxError(offset: start, reason: "a lone surrogate stands") }
    default: throw fault("an unknown escape stands")
    }
  }

  private mutating func codeUnit() throws(JSONSyntaxError) -> UInt16 {
    var unit: UInt16 = 0
    for _ in 0..<4 {
      let digit: UInt8
      switch current {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = current - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = current - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = current - UInt8(ascii: "A") + 10
      default: throw fault("a hexadecimal digit is missing")
      }
      unit = unit << 4 | UInt16(digit)
      position += 1
    }
    return unit
  }

  /// One character of two to four bytes, by the table of well-formed byte sequences (Unicode, table 3-7).
  private mutating func character() throws(JSONSyntaxError) {
    let second: ClosedRange<UInt8>
    let length: Int
    switch bytes[position] {
    case 0xC2...0xDF: (length, second) = (2, 0x80...0xBF)
    case 0xE0: (length, second) = (3, 0xA0...0xBF)
    case 0xED: (length, second) = (3, 0x80...0x9F)
    case 0xE1...0xEF: (length, second) = (3, 0x80...0xBF)
    case 0xF0: (length, second) = (4, 0x90...0xBF)
    case 0xF4: (length, second) = (4, 0x80...0x8F)
    case 0xF1...0xF3: (length, second) = (4, 0x80...0xBF)
    default: throw fault("the text is not UTF-8")
    }
    guard position + length <= bytes.count, second.contains(bytes[position + 1]) else { throw fault("the text is not UTF-8") }
    for i in position + 2..<max(position + length, position + 2) where bytes[i] & 0xC0 != 0x80 { throw fault("the text is not UTF-8") }
    position += length
  }

  /// The byte that comes next; 0, which is no part of JSON outside of strings, where the text ends.
  private var current: UInt8 { position < bytes.count ? bytes[position] : 0 }

  private var isDigit: Bool { current &- UInt8(ascii: "0") < 10 }

  private mutating func skipSpace() {
    while current == 0x20 || current == 0x0A || current == 0x0D || current == 0x09 { position += 1 }
  }

  private mutating func open(_ kind: JSONNode.Kind, level: Int) throws(JSONSyntaxError) -> Int {
    guard level <= deepest else { throw fault("values are nested deeper than \(deepest) levels") }
    append(kind, position, position)
    position += 1
    return nodes.count - 1
  }

  private mutating func close(_ node: Int, count: Int32) {
    position += 1
    nodes[node].end = Int32(position)
    nodes[node].next = Int32(nodes.count)
    nodes[node].count = count
  }

  private mutating func append(_ kind: JSONNode.Kind, _ start: Int, _ end: Int, hasEscapes: Bool = false) {
    let index = Int32(nodes.count)
    nodes.append(JSONNode(kind: kind, hasEscapes: hasEscapes, start: Int32(start), end: Int32(end), index: index, next: index + 1))
  }

  private func fault(_ reason: String) -> JSONSyntaxError {
    JSONSyntaxError(offset: position, reason: position < bytes.count ? reason : "the text ends too early")
  }
}
