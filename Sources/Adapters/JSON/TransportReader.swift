import Application
import Domain

/// Why a message cannot be read at all.
struct MalformedMessage: Error {
  /// Names the property, header or byte.
  let sentence: String
  init(_ sentence: String) { self.sentence = sentence }
}

/// The data of a command: an object somewhere in a JSON text.
struct CommandData {
  let document: JSONDocument
  let object: JSONNode
  let text: [UInt8]
  /// The structured CloudEvent that it came in; nil where the message's body is nothing but the data.
  let event: JSONDocument?
}

/// The first of the contract's checks: everything that makes a message `malformed`, before anyone asks who sent it.
///
/// What could be read of the message before a fault stays known, so that its sender can be answered.
struct TransportReader {
  static let largestBody = 262_144

  let message: Message
  private(set) var messageID: MessageID?
  private(set) var typeName: String?
  private(set) var traceparent: String?
  private var mediaType = MediaType.json

  init(_ received: ReceivedMessage) {
    message = received.message
    messageID = message.messageID.flatMap(MessageID.init)
    typeName = message.type.flatMap { $0.isEmpty ? nil : $0 }
    // By the default exchange the routing key is a queue's name.
    if typeName == nil && !message.exchange.isEmpty { typeName = message.routingKey }
    traceparent = message.header("traceparent")?.text.flatMap { TraceContext($0) == nil ? nil : $0 }
  }

  mutating func read(_ received: ReceivedMessage, commandsExchange: String) throws(MalformedMessage) -> (id: MessageID, data: CommandData) {
    let data = try readData(received, exchange: commandsExchange)
    guard let messageID else { throw MalformedMessage("message_id is missing") }
    return (messageID, data)
  }

  /// A query may do without an id. `exchange` is the one whose routing keys must agree with the types.
  mutating func readData(_ received: ReceivedMessage, exchange commandsExchange: String) throws(MalformedMessage) -> CommandData {
    if received.headersExceedLimits { throw MalformedMessage("the headers have more than 64 entries, 1,024 nested ones or 8 levels") }
    if received.hasInvalidText { throw MalformedMessage("a property or the routing key is not UTF-8") }
    if message.contentEncoding != nil { throw MalformedMessage("content_encoding is set: bodies are taken as they are, not encoded") }
    if let contentType = message.contentType, !contentType.isEmpty { mediaType = MediaType(contentType) }
    if mediaType == .other { throw MalformedMessage("content_type must be application/json or application/cloudevents+json") }
    if let id = message.messageID, let fault = Self.fault(ofID: id) { throw MalformedMessage("message_id \(fault)") }
    if message.correlationID?.utf8.contains(0) == true { throw MalformedMessage("correlation_id has the character U+0000") }
    if message.exchange == commandsExchange, let typeName, !CommandName.same(typeName, message.routingKey) {
      throw MalformedMessage("type and routing key differ")
    }
    if message.body.count > Self.largestBody {
      throw MalformedMessage("the body has \(message.body.count) bytes, and 262,144 (256 KiB) is the most")
    }
    if mediaType == .json, let event = try BinaryCloudEvent(message) {
      try agree(id: event.id, type: event.type, commandsExchange: commandsExchange)
      adopt(traceparent: event.traceparent)
    }
    let document = try Self.parse(message.body, "the body")
    return try mediaType == .json ? Self.object(document, message.body, event: nil) : event(document, commandsExchange: commandsExchange)
  }

  private mutating func event(_ document: JSONDocument, commandsExchange: String) throws(MalformedMessage) -> CommandData {
    let event = try StructuredCloudEvent(document)
    try agree(id: event.id, type: event.type, commandsExchange: commandsExchange)
    adopt(traceparent: event.traceparent)
    return try event.data()
  }

  /// A CloudEvent's `id` is the message id and its `type` the command type: what AMQP says of them must be the same.
  private mutating func agree(id: String, type: String, commandsExchange: String) throws(MalformedMessage) {
    if let fault = Self.fault(ofID: id) { throw MalformedMessage("the CloudEvent's id \(fault)") }
    if let given = message.messageID, !given.utf8.elementsEqual(id.utf8) { throw MalformedMessage("the CloudEvent's id and message_id differ") }
    messageID = MessageID(id)
    if let given = message.type, !given.isEmpty, !CommandName.same(given, type) { throw MalformedMessage("the CloudEvent's type and the AMQP type differ") }
    if message.exchange == commandsExchange, !CommandName.same(message.routingKey, type) {
      throw MalformedMessage("the CloudEvent's type and the routing key differ")
    }
    typeName = type
  }

  private mutating func adopt(traceparent candidate: String?) {
    if traceparent == nil, let candidate, TraceContext(candidate) != nil { traceparent = candidate }
  }

  static func parse(_ bytes: [UInt8], _ what: String) throws(MalformedMessage) -> JSONDocument {
    do throws(JSONSyntaxError) {
      return try JSONParser.parse(bytes)
    } catch {
      throw MalformedMessage("\(what) is not JSON that can be taken: \(error.sentence)")
    }
  }

  static func object(_ document: JSONDocument, _ text: [UInt8], event: JSONDocument?) throws(MalformedMessage) -> CommandData {
    guard document.root.kind == .object else { throw MalformedMessage("the body must be a JSON object") }
    return CommandData(document: document, object: document.root, text: text, event: event)
  }

  private static func fault(ofID id: String) -> String? {
    switch identifierFault(id) {
    case nil: nil
    case .empty: "is empty"
    case .tooLong: "has more than 128 characters"
    case .controlCharacter: "holds a control character"
    }
  }
}
