import Application
import RabbitMQClient

/// Between the client's terms and the application's. `expiration` and `user_id` are not passed on: the one would let a waiting message
/// vanish, the other must be that of the connection which publishes.
extension ReceivedMessage {
  convenience init(_ delivery: Delivery) {
    let properties = delivery.properties
    self.init(
      tag: DeliveryTag(generation: delivery.generation, number: delivery.tag),
      redelivered: delivery.redelivered,
      message: Message(
        exchange: delivery.exchange, routingKey: delivery.routingKey, contentType: properties.contentType, contentEncoding: properties.contentEncoding,
        type: properties.type, messageID: properties.messageID, correlationID: properties.correlationID, replyTo: properties.replyTo,
        appID: properties.appID, timestamp: properties.timestamp, priority: properties.priority, persistent: properties.deliveryMode == 2,
        headers: properties.headers.map { MessageHeader($0.name, HeaderValue($0.value)) }, body: delivery.body),
      headersExceedLimits: delivery.headersExceedLimits,
      hasInvalidText: delivery.hasInvalidText)
  }
}

extension Publication {
  init(_ message: Message, mandatory: Bool) {
    var properties = MessageProperties()
    properties.contentType = message.contentType
    properties.contentEncoding = message.contentEncoding
    properties.type = message.type
    properties.messageID = message.messageID
    properties.correlationID = message.correlationID
    properties.replyTo = message.replyTo
    properties.appID = message.appID
    properties.timestamp = message.timestamp
    properties.priority = message.priority
    properties.deliveryMode = message.persistent ? 2 : 1
    properties.headers = message.headers.map { Header(name: $0.name, value: FieldValue($0.value)) }
    self.init(exchange: message.exchange, routingKey: message.routingKey, mandatory: mandatory, properties: properties, body: message.body)
  }
}

extension HeaderValue {
  init(_ value: FieldValue) {
    switch value {
    case .bool(let v): self = .bool(v)
    case .int8(let v): self = .int8(v)
    case .uint8(let v): self = .uint8(v)
    case .int16(let v): self = .int16(v)
    case .uint16(let v): self = .uint16(v)
    case .int32(let v): self = .int32(v)
    case .uint32(let v): self = .uint32(v)
    case .int64(let v): self = .int64(v)
    case .uint64(let v): self = .uint64(v)
    case .float(let v): self = .float(v)
    case .double(let v): self = .double(v)
    case .decimal(let scale, let value): self = .decimal(scale: scale, value: value)
    case .string(let v): self = .string(v)
    case .longBytes(let v): self = .longBytes(v)
    case .bytes(let v): self = .bytes(v)
    case .timestamp(let v): self = .timestamp(v)
    case .table(let entries): self = .table(entries.map { MessageHeader($0.name, HeaderValue($0.value)) })
    case .array(let values): self = .array(values.map(HeaderValue.init))
    case .void: self = .void
    }
  }
}

extension FieldValue {
  init(_ value: HeaderValue) {
    switch value {
    case .bool(let v): self = .bool(v)
    case .int8(let v): self = .int8(v)
    case .uint8(let v): self = .uint8(v)
    case .int16(let v): self = .int16(v)
    case .uint16(let v): self = .uint16(v)
    case .int32(let v): self = .int32(v)
    case .uint32(let v): self = .uint32(v)
    case .int64(let v): self = .int64(v)
    case .uint64(let v): self = .uint64(v)
    case .float(let v): self = .float(v)
    case .double(let v): self = .double(v)
    case .decimal(let scale, let value): self = .decimal(scale: scale, value: value)
    case .string(let v): self = .string(v)
    case .longBytes(let v): self = .longBytes(v)
    case .bytes(let v): self = .bytes(v)
    case .timestamp(let v): self = .timestamp(v)
    case .table(let entries): self = .table(entries.map { Header(name: $0.name, value: FieldValue($0.value)) })
    case .array(let values): self = .array(values.map(FieldValue.init))
    case .void: self = .void
    }
  }
}
