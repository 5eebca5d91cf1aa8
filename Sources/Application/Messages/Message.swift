import Domain

/// A message as it came or is to go, in AMQP's terms but of no particular client.
package struct Message: Sendable, Equatable {
  package var exchange: String
  package var routingKey: String
  package var contentType: String?
  package var contentEncoding: String?
  package var type: String?
  package var messageID: String?
  package var correlationID: String?
  package var replyTo: String?
  package var appID: String?
  /// Seconds since 1970, as AMQP has it.
  package var timestamp: UInt64?
  package var priority: UInt8?
  package var persistent: Bool
  package var headers: [MessageHeader]
  package var body: [UInt8]

  package init(
    exchange: String, routingKey: String, contentType: String? = nil, contentEncoding: String? = nil, type: String? = nil, messageID: String? = nil,
    correlationID: String? = nil, replyTo: String? = nil, appID: String? = nil, timestamp: UInt64? = nil, priority: UInt8? = nil,
    persistent: Bool = true, headers: [MessageHeader] = [], body: [UInt8]
  ) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.contentType = contentType
    self.contentEncoding = contentEncoding
    self.type = type
    self.messageID = messageID
    self.correlationID = correlationID
    self.replyTo = replyTo
    self.appID = appID
    self.timestamp = timestamp
    self.priority = priority
    self.persistent = persistent
    self.headers = headers
    self.body = body
  }

  /// How long ago the sender says that it was sent; nil where he does not. AMQP counts in seconds, and some clients write milliseconds. A clock that is
  /// ahead gives 0.
  package func age(at now: Timestamp) -> Duration? {
    guard let timestamp, timestamp > 0, timestamp < 100_000_000_000_000 else { return nil }
    let sent = Timestamp(microseconds: Int64(timestamp) * (timestamp > 100_000_000_000 ? 1_000 : 1_000_000))
    return max(.zero, sent.duration(to: now))
  }

  package func header(_ name: String) -> HeaderValue? { headers.first { $0.name == name }?.value }
}

package struct MessageHeader: Sendable, Equatable {
  package var name: String
  package var value: HeaderValue
  package init(_ name: String, _ value: HeaderValue) {
    self.name = name
    self.value = value
  }
}

/// A header's value, with every type that AMQP 0-9-1 tables know, so that a message can be passed on as it came.
package indirect enum HeaderValue: Sendable, Equatable {
  case bool(Bool)
  case int8(Int8)
  case uint8(UInt8)
  case int16(Int16)
  case uint16(UInt16)
  case int32(Int32)
  case uint32(UInt32)
  case int64(Int64)
  case uint64(UInt64)
  case float(Float)
  case double(Double)
  case decimal(scale: UInt8, value: UInt32)
  case string(String)
  /// A long string that is not UTF-8.
  case longBytes([UInt8])
  case bytes([UInt8])
  case timestamp(UInt64)
  case table([MessageHeader])
  case array([HeaderValue])
  case void

  package var text: String? { if case .string(let text) = self { text } else { nil } }

  /// A whole number of any width.
  package var number: Int64? {
    switch self {
    case .int8(let value): Int64(value)
    case .uint8(let value): Int64(value)
    case .int16(let value): Int64(value)
    case .uint16(let value): Int64(value)
    case .int32(let value): Int64(value)
    case .uint32(let value): Int64(value)
    case .int64(let value): value
    case .uint64(let value): Int64(exactly: value)
    default: nil
    }
  }
}

/// A delivery's place: tags belong to one life of the channel, its generation.
package struct DeliveryTag: Hashable, Sendable {
  package let generation: UInt64
  package let number: UInt64
  package init(generation: UInt64, number: UInt64) {
    self.generation = generation
    self.number = number
  }
}

/// A message with what the transport says of its delivery. A class, since it goes through many hands.
package final class ReceivedMessage: Sendable {
  package let tag: DeliveryTag
  package let redelivered: Bool
  package let arrivedAt = ContinuousClock.now
  package let message: Message
  /// More header entries, nested entries or levels than the contract allows; `message` has only its plain top-level headers.
  package let headersExceedLimits: Bool
  /// A property or routing key was not UTF-8 and has been repaired.
  package let hasInvalidText: Bool

  package init(tag: DeliveryTag, redelivered: Bool, message: Message, headersExceedLimits: Bool = false, hasInvalidText: Bool = false) {
    self.tag = tag
    self.redelivered = redelivered
    self.message = message
    self.headersExceedLimits = headersExceedLimits
    self.hasInvalidText = hasInvalidText
  }

  /// How often it went out before, by the broker's count. Anybody can send the header; the broker sets it on what it delivers again.
  package var deliveryCount: Int64 { redelivered ? message.header("x-delivery-count")?.number ?? 0 : 0 }
}
