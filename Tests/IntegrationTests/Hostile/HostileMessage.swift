import RabbitMQClient

/// One message of the burst, and what the contract says becomes of it.
struct HostileMessage: Sendable {
  enum Expectation: Sendable {
    case accepted
    case duplicate
    /// The error's sentence, or the path of one of its details, holds `naming`.
    case deadLettered(reason: String, naming: String)
  }

  /// Also its header `row`, by which dead letters are told apart.
  let name: String
  var publication: Publication
  /// What goes out in place of the publication.
  var raw: RawMessage?
  let expectation: Expectation
  /// Of the order that it makes, in minor units.
  var total: Int64?
  /// The correlation id of its reply; nil where there must be none.
  var answeredAs: String?
  /// Headers that are not passed on.
  var dropped = ["authorization", "x-order-principal"]
  /// Over the limits, only its plain headers are passed on.
  var headersAreCut = false

  /// Stands for the correlation id of a reply that has none: it would be longer than AMQP allows.
  static let noCorrelation = "no correlation id"

  var body: [UInt8] { raw?.body ?? publication.body }
}

/// The burst as it grows: a harmless command stands behind each hostile one.
struct HostileBurst {
  /// The world's prefix.
  let prefix: String
  private(set) var messages: [HostileMessage] = []

  static let token = "Bearer hostile-token"
  static let product = "p0"

  init(prefix: String) {
    self.prefix = prefix
    addBodies()
    addFields()
    addGoodBodies()
    addProperties()
    addHeaders()
    addRawProperties()
    addEvents()
    addReplyAddresses()
  }

  mutating func bad(
    _ reason: String, naming: String, _ name: String, _ body: [UInt8] = create(), change: (inout HostileMessage) -> Void = { _ in }
  ) {
    add(name, body, .deadLettered(reason: reason, naming: naming), change)
    add("harmless beside \(name)", Self.create(), .accepted) { $0.total = 100 }
  }

  mutating func good(_ name: String, total: Int64? = nil, _ body: [UInt8] = create(), change: (inout HostileMessage) -> Void = { _ in }) {
    add(name, body, .accepted) {
      $0.total = total
      change(&$0)
    }
  }

  mutating func add(_ name: String, _ body: [UInt8], _ expectation: HostileMessage.Expectation, _ change: (inout HostileMessage) -> Void) {
    precondition(!messages.contains { $0.name == name }, "two rows are named \(name)")
    var properties = MessageProperties()
    properties.type = "order.create"
    properties.messageID = name
    properties.correlationID = name
    properties.contentType = "application/json"
    properties.deliveryMode = 2
    properties.replyTo = "reply.\(prefix)"
    properties.appID = "hostile"
    properties.timestamp = 1_700_000_000
    properties.priority = 3
    properties.headers = [
      Header(name: "row", value: .string(name)), Header(name: "authorization", value: .string(Self.token)),
      Header(name: "kept", value: .array([.int64(-7), .table([Header(name: "in", value: .longBytes([0xFF]))]), .void, .double(0.5)])),
    ]
    var message = HostileMessage(
      name: name,
      publication: Publication(exchange: "\(prefix).commands", routingKey: "order.create", mandatory: true, properties: properties, body: body),
      expectation: expectation, answeredAs: name)
    change(&message)
    messages.append(message)
  }

  /// The body of a create, each of its values as JSON text; `rest` begins with a comma.
  static func create(
    customer: String = #""customer""#, items: String? = nil, product: String = #""p0""#, quantity: String = "1", price: String = "1",
    currency: String = "USD", rest: String = ""
  ) -> [UInt8] {
    let items = items ?? #"[{"product_id":\#(product),"quantity":\#(quantity),"unit_price":\#(price)}]"#
    return Array(#"{"customer_id":\#(customer),"currency":"\#(currency)","items":\#(items)\#(rest)}"#.utf8)
  }

  static func items(_ count: Int) -> String {
    "[" + (0..<count).map { #"{"product_id":"p\#($0)","quantity":1,"unit_price":1}"# }.joined(separator: ",") + "]"
  }

  /// A body of this size, by spaces at its end.
  static func padded(to size: Int) -> [UInt8] {
    let body = create()
    return body + [UInt8](repeating: 0x20, count: size - body.count)
  }
}
