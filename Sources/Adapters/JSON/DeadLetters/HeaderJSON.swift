import Application

/// A message's headers as a JSON object, for people and back again. What JSON has no type for is an object with one member, whose name begins with `$`.
///
/// U+0000 becomes U+FFFD: PostgreSQL keeps no text with it.
enum HeaderJSON {
  static func write(_ headers: [MessageHeader]) -> [UInt8] {
    var json = JSONWriter(capacity: 256)
    table(headers, into: &json)
    return json.bytes
  }

  private static func table(_ entries: [MessageHeader], into json: inout JSONWriter) {
    json.raw("{")
    for (position, entry) in entries.enumerated() {
      if position > 0 { json.raw(",") }
      json.string(storable(entry.name))
      json.raw(":")
      value(entry.value, into: &json)
    }
    json.raw("}")
  }

  private static func value(_ value: HeaderValue, into json: inout JSONWriter) {
    func number(_ value: some BinaryInteger) { json.bytes.append(contentsOf: String(value).utf8) }
    func fraction(_ value: Double) {
      if value.isFinite { json.bytes.append(contentsOf: String(value).utf8) } else { json.string(String(value)) }
    }
    func tagged(_ name: StaticString, _ text: String) {
      json.raw("{")
      json.member(name, text)
      json.raw("}")
    }
    switch value {
    case .bool(let flag): json.raw(flag ? "true" : "false")
    case .int8(let v): number(v)
    case .uint8(let v): number(v)
    case .int16(let v): number(v)
    case .uint16(let v): number(v)
    case .int32(let v): number(v)
    case .uint32(let v): number(v)
    case .int64(let v): number(v)
    case .uint64(let v): number(v)
    case .float(let v): fraction(Double(v))
    case .double(let v): fraction(v)
    case .decimal(let scale, let v): tagged("$decimal", "\(v)e-\(scale)")
    case .string(let text): json.string(storable(text))
    case .bytes(let bytes), .longBytes(let bytes):
      var text: [UInt8] = []
      Base64.appendURL(bytes, to: &text)
      tagged("$bytes", String(decoding: text, as: UTF8.self))
    case .timestamp(let seconds): tagged("$timestamp", String(seconds))
    case .table(let entries): table(entries, into: &json)
    case .array(let values): json.array(values) { self.value($1, into: &$0) }
    case .void: json.raw("null")
    }
  }

  static func storable(_ text: String) -> String {
    text.utf8.contains(0) ? String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value == 0 ? "\u{FFFD}" : $0 })) : text
  }

  /// Empty for a text that is none of this program's.
  static func read(_ text: [UInt8]) -> [MessageHeader] {
    guard let document = try? JSONParser.parse(text) else { return [] }
    return entries(document, document.root)
  }

  private static func entries(_ document: JSONDocument, _ object: JSONNode) -> [MessageHeader] {
    var entries: [MessageHeader] = []
    document.forEachMember(of: object) { name, node in
      entries.append(MessageHeader(document.text(name), value(document, node)))
      return true
    }
    return entries
  }

  private static func value(_ document: JSONDocument, _ node: JSONNode) -> HeaderValue {
    switch node.kind {
    case .yes: return .bool(true)
    case .no: return .bool(false)
    case .null: return .void
    case .string: return .string(document.text(node))
    case .number:
      let text = String(decoding: document.source(node), as: UTF8.self)
      return Int64(text).map { .int64($0) } ?? .double(Double(text) ?? 0)
    case .array:
      var values: [HeaderValue] = []
      document.forEachElement(of: node) { _, element in
        values.append(value(document, element))
        return true
      }
      return .array(values)
    case .object:
      if node.count == 1 {
        if let seconds = document.field("$timestamp", of: node), let number = UInt64(document.text(seconds)) { return .timestamp(number) }
        if let bytes = document.field("$bytes", of: node), let decoded = Base64.decode(document.utf8(bytes), .url) { return .bytes(decoded) }
        if let decimal = document.field("$decimal", of: node), let value = Self.decimal(document.text(decimal)) { return value }
      }
      return .table(entries(document, node))
    }
  }

  private static func decimal(_ text: String) -> HeaderValue? {
    let parts = text.split(separator: "e")
    guard parts.count == 2, let value = UInt32(parts[0]), let scale = UInt8(parts[1].dropFirst()) else { return nil }
    return .decimal(scale: scale, value: value)
  }
}
