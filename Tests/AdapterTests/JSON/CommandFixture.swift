import Application
import Domain
import JSONAdapter

/// A message as an upstream service sends it, with everything changeable, and the decoder of a worker of prefix `orders`.
struct CommandFixture {
  static let id = "6f1c2d3e-1111-4222-8333-444455556666"
  static let decoder = JSONCommandDecoder(
    commandsExchange: "orders.commands", defaultCurrency: Currency("USD")!, replyTo: ReplyToPolicy(ownPrefix: "orders"), seal: UnsignedJourneySeal(),
    authenticator: OpenAuthenticator())

  var message: Message
  var headersExceedLimits = false
  var hasInvalidText = false

  init(_ body: String, type: String? = "order.create", routingKey: String? = nil, id: String? = Self.id) {
    self.init(bytes: Array(body.utf8), type: type, routingKey: routingKey, id: id)
  }

  init(bytes: [UInt8], type: String? = "order.create", routingKey: String? = nil, id: String? = Self.id) {
    message = Message(
      exchange: "orders.commands", routingKey: routingKey ?? type ?? "order.create", contentType: "application/json", type: type, messageID: id,
      replyTo: "amq.rabbitmq.reply-to.g1h2", body: bytes)
  }

  func changing(_ change: (inout CommandFixture) -> Void) -> CommandFixture {
    var copy = self
    change(&copy)
    return copy
  }

  func decoded(by decoder: JSONCommandDecoder = Self.decoder) -> DecodedCommand {
    decoder.decode(
      ReceivedMessage(
        tag: DeliveryTag(generation: 1, number: 1), redelivered: false, message: message, headersExceedLimits: headersExceedLimits,
        hasInvalidText: hasInvalidText))
  }

  /// The envelope, where the command is good.
  var envelope: CommandEnvelope? { decoded().envelope }
  var refusal: Refusal? { decoded().refusal }
  var create: CreateOrder? { if case .create(let create) = envelope?.command { create } else { nil } }
  var update: UpdateStatus? { if case .updateStatus(let update) = envelope?.command { update } else { nil } }

  /// `path code`, as refused.
  var faults: [String]? { refusal.map { $0.faults.map { "\($0.path) \($0.code.rawValue)" } } }

  static let good = #"{"customer_id":"c","items":[{"product_id":"p","quantity":2,"unit_price":29.99}]}"#

  /// A create of one item with these members, over good ones.
  static func item(_ members: String) -> CommandFixture {
    CommandFixture(#"{"customer_id":"c","items":[{"product_id":"p","quantity":1,"unit_price":1,\#(members)}]}"#)
  }

  /// A create with these members, over good ones (the last of a name wins).
  static func create(_ members: String) -> CommandFixture {
    CommandFixture(String(good.dropLast()) + "," + members + "}")
  }

  static func update(_ members: String) -> CommandFixture {
    CommandFixture(#"{"order_id":"6f1c2d3e-1111-4222-8333-444455556666","status":"confirmed",\#(members)}"#, type: "order.update_status")
  }
}

extension Message {
  mutating func set(_ name: String, _ value: HeaderValue) { headers.append(MessageHeader(name, value)) }
}

extension DecodedCommand {
  var envelope: CommandEnvelope? { if case .command(let envelope) = self { envelope } else { nil } }
  var refusal: Refusal? { if case .refused(let refusal) = self { refusal } else { nil } }
}
