import JSONAdapter

/// An event as one line for people: time, type, order, status, version, total.
struct EventLine {
  let text: String

  /// An event that is not as expected is shown as it came, in one line.
  init(_ body: [UInt8]) {
    guard let document = try? JSONParser.parse(body), document.root.kind == .object else {
      text = TextTable.printable(String(decoding: body, as: UTF8.self))
      return
    }
    let event = document.root
    func string(_ name: StaticString, of object: JSONNode?) -> String? {
      guard let object, let node = document.member(name, of: object), node.kind == .string else { return nil }
      return TextTable.printable(document.text(node))
    }
    func number(_ name: StaticString, of object: JSONNode?) -> String? {
      guard let object, let node = document.member(name, of: object), node.kind == .number else { return nil }
      return String(decoding: document.source(node), as: UTF8.self)
    }
    func object(_ name: StaticString, of object: JSONNode?) -> JSONNode? {
      guard let object, let node = document.member(name, of: object), node.kind == .object else { return nil }
      return node
    }
    let data = object("data", of: event)
    // A refused command's event has the order, where there is one, beside the error.
    let error = object("error", of: data)
    let order = error == nil ? data : object("order", of: data)
    var parts = [
      string("time", of: event) ?? "-", Self.padded(string("type", of: event) ?? "-", to: 24), string("subject", of: event) ?? "-",
      Self.padded(string("status", of: order) ?? "-", to: 10), number("version", of: order).map { "v\($0)" } ?? "-",
    ]
    if let total = string("total_amount", of: order) { parts.append([total, string("currency", of: order)].compactMap(\.self).joined(separator: " ")) }
    if let code = string("code", of: error) { parts.append(code) }
    text = parts.joined(separator: "  ")
  }

  private static func padded(_ text: String, to width: Int) -> String {
    text + String(repeating: " ", count: max(0, width - text.count))
  }
}
