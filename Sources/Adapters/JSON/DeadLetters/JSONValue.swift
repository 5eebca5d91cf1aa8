/// A JSON value that can be changed. Numbers keep their text, so that money stays what it is.
enum JSONValue: Sendable {
  case object([(name: String, value: JSONValue)])
  case array([JSONValue])
  case string(String)
  case number(String)
  case bool(Bool)
  case null

  init(_ document: JSONDocument, _ node: JSONNode) {
    switch node.kind {
    case .object:
      var members: [(name: String, value: JSONValue)] = []
      document.forEachMember(of: node) { name, value in
        let member = (name: document.text(name), value: JSONValue(document, value))
        // The last of a name is the one that counts.
        if let place = members.firstIndex(where: { $0.name == member.name }) { members[place] = member } else { members.append(member) }
        return true
      }
      self = .object(members)
    case .array:
      var elements: [JSONValue] = []
      document.forEachElement(of: node) { _, element in
        elements.append(JSONValue(document, element))
        return true
      }
      self = .array(elements)
    case .string: self = .string(document.text(node))
    case .number: self = .number(String(decoding: document.source(node), as: UTF8.self))
    case .yes: self = .bool(true)
    case .no: self = .bool(false)
    case .null: self = .null
    }
  }

  var bytes: [UInt8] {
    var json = JSONWriter(capacity: 512)
    write(to: &json)
    return json.bytes
  }

  private func write(to json: inout JSONWriter) {
    switch self {
    case .object(let members):
      json.raw("{")
      for (position, member) in members.enumerated() {
        if position > 0 { json.raw(",") }
        json.string(member.name)
        json.raw(":")
        member.value.write(to: &json)
      }
      json.raw("}")
    case .array(let elements): json.array(elements) { json, element in element.write(to: &json) }
    case .string(let text): json.string(text)
    case .number(let text): json.bytes += Array(text.utf8)
    case .bool(let flag): json.raw(flag ? "true" : "false")
    case .null: json.raw("null")
    }
  }

  /// As RFC 6902 compares: members in any order, numbers by their value.
  static func == (a: JSONValue, b: JSONValue) -> Bool {
    switch (a, b) {
    case (.object(let a), .object(let b)):
      a.count == b.count && a.allSatisfy { member in b.contains { $0.name == member.name && $0.value == member.value } }
    case (.array(let a), .array(let b)): a.count == b.count && zip(a, b).allSatisfy { $0 == $1 }
    case (.string(let a), .string(let b)): a.utf8.elementsEqual(b.utf8)
    // A binary fraction holds 15 digits; what is longer is compared as it stands.
    case (.number(let a), .number(let b)): a == b || max(a.utf8.count, b.utf8.count) <= 15 && Double(a) == Double(b)
    case (.bool(let a), .bool(let b)): a == b
    case (.null, .null): true
    default: false
    }
  }
}
