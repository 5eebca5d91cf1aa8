import Application

/// A message's properties that are no headers, as a JSON object and back again. What identifies it, `message_id` and `type`, has its own place.
enum MessagePropertiesJSON {
  static func write(_ message: Message) -> [UInt8] {
    var json = JSONWriter(capacity: 256)
    json.raw("{")
    func member(_ name: StaticString, _ text: String?) { if let text { json.member(name, HeaderJSON.storable(text)) } }
    member("exchange", message.exchange)
    member("routing_key", message.routingKey)
    member("content_type", message.contentType)
    member("content_encoding", message.contentEncoding)
    member("correlation_id", message.correlationID)
    member("reply_to", message.replyTo)
    member("app_id", message.appID)
    if let timestamp = message.timestamp { json.member("timestamp", Int64(clamping: timestamp)) }
    if let priority = message.priority { json.member("priority", Int64(priority)) }
    json.raw("}")
    return json.bytes
  }

  /// A message of these properties, persistent, without id, type and headers.
  static func read(_ properties: [UInt8], body: [UInt8]) -> Message {
    var message = Message(exchange: "", routingKey: "", body: body)
    guard let document = try? JSONParser.parse(properties) else { return message }
    func text(_ name: StaticString) -> String? { document.field(name, of: document.root).map(document.text) }
    func number(_ name: StaticString) -> UInt64? {
      document.field(name, of: document.root).flatMap { UInt64(String(decoding: document.source($0), as: UTF8.self)) }
    }
    message.exchange = text("exchange") ?? ""
    message.routingKey = text("routing_key") ?? ""
    message.contentType = text("content_type")
    message.contentEncoding = text("content_encoding")
    message.correlationID = text("correlation_id")
    message.replyTo = text("reply_to")
    message.appID = text("app_id")
    message.timestamp = number("timestamp")
    message.priority = number("priority").flatMap { UInt8(exactly: $0) }
    return message
  }
}
