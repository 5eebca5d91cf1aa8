import Domain

/// Spans of messages, by OpenTelemetry's conventions for messaging and RabbitMQ
/// (https://opentelemetry.io/docs/specs/semconv/messaging/rabbitmq/).
extension Span {
  private static let system = "messaging.system"
  private static let rabbitmq: Value = "rabbitmq"

  /// What a worker does with one delivery, from its arrival to its acknowledgement. `type` is nil where the message names none that is known: what
  /// outsiders write freely is in no span's name.
  static func process(_ received: ReceivedMessage, type: CommandType?, queue: String, _ place: CommandSpan, end: Timestamp) -> Span {
    let message = received.message
    let destination = [message.exchange, type?.rawValue ?? "", queue].filter { !$0.isEmpty }.joined(separator: ":")
    var attributes: [String: Value] = [
      system: rabbitmq, "messaging.operation.name": "process", "messaging.operation.type": "process",
      "messaging.destination.name": .text(destination), "messaging.rabbitmq.destination.routing_key": .text(message.routingKey),
      "messaging.rabbitmq.message.delivery_tag": .number(Int64(clamping: received.tag.number)),
      "messaging.message.body.size": .number(Int64(message.body.count)),
    ]
    attributes["messaging.message.id"] = message.messageID.map { .text($0) }
    attributes["messaging.message.conversation_id"] = message.correlationID.map { .text($0) }
    let links = place.link.map { [$0] } ?? []
    let took = received.arrivedAt.duration(to: .now)
    return Span(
      "process \(destination)", .consumer, place.context, parent: place.parent, links: links, begin: end + (.zero - took), end: end, attributes: attributes)
  }

  /// An event comes into being: what consumers find as its `traceparent` is this span, whoever sends it and however late.
  static func create(_ event: EncodedEvent, _ trace: EventTrace, exchange: String, at moment: Timestamp) -> Span {
    let destination = "\(exchange):\(event.type.rawValue)"
    return Span(
      "create \(destination)", .producer, trace.context, parent: trace.parent, begin: moment, end: moment,
      attributes: [
        system: rabbitmq, "messaging.operation.name": "create", "messaging.operation.type": "create", "messaging.destination.name": .text(destination),
        "messaging.rabbitmq.destination.routing_key": .text(event.type.rawValue), "messaging.message.id": .text(event.key.event.description),
        "messaging.message.body.size": .number(Int64(event.body.count)), "orders.order_id": .text(event.key.order.order.description),
      ])
  }

  /// Events go to the broker together. `links` are those of them whose traces are recorded.
  static func send(
    _ count: Int, confirmed: Int, exchange: String, _ place: (context: TraceContext, parent: UInt64?), links: [TraceContext], begin: Timestamp, end: Timestamp
  ) -> Span {
    Span(
      "send \(exchange)", .client, place.context, parent: place.parent, links: links, begin: begin, end: end,
      attributes: [
        system: rabbitmq, "messaging.operation.name": "send", "messaging.operation.type": "send", "messaging.destination.name": .text(exchange),
        "messaging.batch.message_count": .number(Int64(count)),
      ], error: confirmed == count ? nil : "\(count - confirmed) of \(count) events were not confirmed")
  }

  /// A batch's transaction, by the conventions for databases.
  static func transaction(
    of commands: Int, runs: Int, _ place: (context: TraceContext, parent: UInt64?), links: [TraceContext], begin: Timestamp, end: Timestamp
  ) -> Span {
    Span(
      "COMMIT", .client, place.context, parent: place.parent, links: links, begin: begin, end: end,
      attributes: [
        "db.system.name": "postgresql", "db.operation.name": "COMMIT", "db.operation.batch.size": .number(Int64(commands)),
        "orders.transaction.runs": .number(Int64(runs)),
      ])
  }
}
