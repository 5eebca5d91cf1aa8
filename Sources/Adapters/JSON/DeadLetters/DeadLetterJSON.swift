import Application
import Domain

/// A dead letter as `schemas/dead-letter.json` describes it.
package enum DeadLetterJSON {
  /// `reveals` shows payment methods.
  package static func write(_ letter: DeadLetter, reveals: Bool) -> [UInt8] {
    var json = JSONWriter(capacity: 1_024 + letter.body.count)
    json.raw("{")
    json.member("id") { letter.key.id.appendText(to: &$0) }
    json.member("tenant_id", letter.key.tenant.rawValue)
    json.optional("message_id", letter.messageID)
    json.optional("type", letter.type)
    if let order = letter.order { json.member("order_id") { order.appendText(to: &$0) } } else { json.optional("order_id", nil) }
    json.member("reason", letter.reason.rawValue)
    json.member("error", letter.error)
    json.member("attempts", Int64(letter.attempts))
    json.member("state", letter.state.rawValue)
    let body = reveals ? letter.body : PaymentMethodMask.mask(letter.body)
    if let text = String(validating: body, as: UTF8.self) {
      json.member("body", text)
    } else {
      json.optional("body", nil)
      json.member("body_base64") { Base64.append(body, to: &$0) }
    }
    json.member("body_size", Int64(letter.bodySize))
    json.member("body_sha256", letter.bodyHash.hexadecimal)
    json.name("headers")
    json.bytes += letter.headers
    json.name("properties")
    json.bytes += letter.properties
    json.name("principal")
    if let principal = letter.principal {
      json.raw("{")
      json.member("sub", principal.subject)
      json.name("roles")
      json.array(Role.allCases.filter(principal.roles.contains)) { $0.string($1.rawValue) }
      json.member("tenant", principal.tenant.rawValue)
      if letter.isTokenExpired { json.raw(",\"token_expired\":true") }
      json.raw("}")
    } else {
      json.raw("null")
    }
    json.name("history")
    json.array(letter.history) { json, event in
      json.raw("{")
      json.member("at") { event.at.appendText(to: &$0) }
      json.member("what", event.what)
      json.optional("actor", event.actor)
      json.raw("}")
    }
    json.member("first_failed_at") { letter.firstFailedAt.appendText(to: &$0) }
    json.member("failed_at") { letter.failedAt.appendText(to: &$0) }
    json.raw("}")
    return json.bytes
  }

  /// The body as people read it: indented where it is JSON; nil where it is no text.
  package static func readableBody(_ letter: DeadLetter, reveals: Bool) -> String? {
    let body = reveals ? letter.body : PaymentMethodMask.mask(letter.body)
    guard let document = try? JSONParser.parse(body) else { return String(validating: body, as: UTF8.self) }
    var text: [UInt8] = []
    indent(document, document.root, level: 0, &text)
    return String(decoding: text, as: UTF8.self)
  }

  /// The sender's headers as people read them.
  package static func headers(_ letter: DeadLetter) -> [(name: String, value: String)] {
    guard let document = try? JSONParser.parse(letter.headers) else { return [] }
    var headers: [(name: String, value: String)] = []
    document.forEachMember(of: document.root) { name, value in
      if Forwarding.isWorkers(document.text(name)) { return true }
      headers.append((document.text(name), value.kind == .string ? document.text(value) : String(decoding: document.source(value), as: UTF8.self)))
      return true
    }
    return headers
  }

  private static func indent(_ document: JSONDocument, _ node: JSONNode, level: Int, _ text: inout [UInt8]) {
    func line(_ level: Int) {
      text.append(0x0A)
      text += [UInt8](repeating: 0x20, count: level * 2)
    }
    guard node.count > 0, node.kind == .object || node.kind == .array else {
      if node.kind == .string { text.append(0x22) }
      text += document.source(node)
      if node.kind == .string { text.append(0x22) }
      return
    }
    var isFirst = true
    text.append(node.kind == .object ? 0x7B : 0x5B)
    func next() {
      if !isFirst { text.append(0x2C) }
      isFirst = false
      line(level + 1)
    }
    document.forEachMember(of: node) { name, value in
      next()
      text.append(0x22)
      text += document.source(name)
      text += [0x22, 0x3A, 0x20]
      indent(document, value, level: level + 1, &text)
      return true
    }
    document.forEachElement(of: node) { _, element in
      next()
      indent(document, element, level: level + 1, &text)
      return true
    }
    line(level)
    text.append(node.kind == .object ? 0x7D : 0x5D)
  }
}

extension JSONWriter {
  mutating func optional(_ name: StaticString, _ text: String?) {
    if let text { return member(name, text) }
    self.name(name)
    raw("null")
  }
}
