import Application

/// A command as a CloudEvent 1.0 in structured mode: the body holds the attributes, and the command in `data`.
struct StructuredCloudEvent {
  let id: String
  let type: String
  let traceparent: String?
  private let document: JSONDocument

  init(_ document: JSONDocument) throws(MalformedMessage) {
    guard document.root.kind == .object else { throw MalformedMessage("the body must be a JSON object") }
    self.document = document
    guard try Self.attribute("specversion", document) == "1.0" else { throw MalformedMessage("the CloudEvent's specversion must be 1.0") }
    id = try Self.attribute("id", document)
    _ = try Self.attribute("source", document)
    type = try Self.attribute("type", document)
    traceparent = document.field("traceparent", of: document.root).flatMap { $0.kind == .string ? document.text($0) : nil }
    guard let format = document.field("datacontenttype", of: document.root) else { return }
    guard format.kind == .string, MediaType.isJSON(document.text(format)) else {
      throw MalformedMessage("the CloudEvent's datacontenttype must be application/json")
    }
  }

  /// The command: `data`, or the JSON text in `data_base64`.
  func data() throws(MalformedMessage) -> CommandData {
    let data = document.field("data", of: document.root)
    let encoded = document.field("data_base64", of: document.root)
    switch (data, encoded) {
    case (let data?, nil):
      guard data.kind == .object else { throw MalformedMessage("the CloudEvent's data must be a JSON object") }
      return CommandData(document: document, object: data, text: Array(document.source(data)), event: document)
    case (nil, let encoded?):
      guard encoded.kind == .string, let text = Base64.decode(document.utf8(encoded), .standard) else {
        throw MalformedMessage("the CloudEvent's data_base64 is not Base64")
      }
      return try TransportReader.object(TransportReader.parse(text, "the CloudEvent's data_base64"), text, event: document)
    case (nil, nil): throw MalformedMessage("the CloudEvent has no data")
    case (_?, _?): throw MalformedMessage("the CloudEvent has both data and data_base64")
    }
  }

  private static func attribute(_ name: StaticString, _ document: JSONDocument) throws(MalformedMessage) -> String {
    guard let node = document.field(name, of: document.root) else { throw MalformedMessage("the CloudEvent's \(name) is missing") }
    guard node.kind == .string else { throw MalformedMessage("the CloudEvent's \(name) must be a string") }
    let text = document.text(node)
    guard !text.isEmpty else { throw MalformedMessage("the CloudEvent's \(name) is empty") }
    return text
  }
}

/// A command as a CloudEvent 1.0 in binary mode: the headers hold the attributes, the body is the command.
struct BinaryCloudEvent {
  private static let prefixes = ["ce-", "cloudEvents_", "cloudEvents:"]

  let id: String
  let type: String
  let traceparent: String?

  /// Nil for a message without any of the required attributes: that is a plain one.
  init?(_ message: Message) throws(MalformedMessage) {
    var attributes: [String: HeaderValue] = [:]
    for header in message.headers where header.name.utf8.first == UInt8(ascii: "c") {
      guard let prefix = Self.prefixes.first(where: header.name.hasPrefix) else { continue }
      let name = String(header.name.dropFirst(prefix.count))
      if let known = attributes.updateValue(header.value, forKey: name), known != header.value {
        throw MalformedMessage("the headers give the CloudEvent's \(FieldPlace.shown(name)) twice")
      }
    }
    guard ["specversion", "id", "source", "type"].contains(where: { attributes[$0] != nil }) else { return nil }
    func attribute(_ name: String) throws(MalformedMessage) -> String {
      guard let value = attributes[name] else { throw MalformedMessage("the CloudEvent's \(name) is missing in the headers") }
      guard let text = value.text else { throw MalformedMessage("the CloudEvent's \(name) must be a string header") }
      guard !text.isEmpty else { throw MalformedMessage("the CloudEvent's \(name) is empty") }
      return text
    }
    guard try attribute("specversion") == "1.0" else { throw MalformedMessage("the CloudEvent's specversion must be 1.0") }
    id = try attribute("id")
    _ = try attribute("source")
    type = try attribute("type")
    traceparent = attributes["traceparent"]?.text
  }
}
