/// The properties of a message, as AMQP 0-9-1's basic class has them.
public struct MessageProperties: Sendable, Equatable {
  public var contentType: String?
  public var contentEncoding: String?
  public var type: String?
  public var messageID: String?
  public var correlationID: String?
  public var replyTo: String?
  /// Milliseconds, as text.
  public var expiration: String?
  public var userID: String?
  public var appID: String?
  public var clusterID: String?
  /// Seconds since 1970.
  public var timestamp: UInt64?
  /// 1 transient, 2 persistent.
  public var deliveryMode: UInt8?
  public var priority: UInt8?
  public var headers: [Header] = []

  public init() {}
}

public struct Header: Sendable, Equatable {
  public var name: String
  public var value: FieldValue
  public init(name: String, value: FieldValue) {
    self.name = name
    self.value = value
  }
}

/// A value of a field table, with every type that RabbitMQ knows.
public indirect enum FieldValue: Sendable, Equatable {
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
  /// A long string (`S`) that is not UTF-8.
  case longBytes([UInt8])
  /// A byte array (`x`).
  case bytes([UInt8])
  /// Seconds since 1970.
  case timestamp(UInt64)
  case table([Header])
  case array([FieldValue])
  case void
}

/// How much of a message's headers is taken in; what is over is left out, and the delivery says so.
public struct HeaderLimits: Sendable {
  public var entries = 64
  public var nested = 1_024
  public var depth = 8
  public init() {}
}

/// A message to be published.
public struct Publication: Sendable {
  public var exchange: String
  public var routingKey: String
  /// Whether a message that reaches no queue comes back.
  public var mandatory: Bool
  public var properties: MessageProperties
  public var body: [UInt8]

  public init(exchange: String, routingKey: String, mandatory: Bool = false, properties: MessageProperties = MessageProperties(), body: [UInt8]) {
    self.exchange = exchange
    self.routingKey = routingKey
    self.mandatory = mandatory
    self.properties = properties
    self.body = body
  }
}

/// What became of a publication.
public enum PublishOutcome: Sendable, Equatable {
  /// The broker has taken responsibility for it; without confirms: it has been written to the socket.
  case confirmed
  /// Mandatory, and it reached no queue.
  case returned(code: Int, text: String)
  case nacked
  /// Certainly not written.
  case notSent(reason: String)
  /// Written, and nothing more is known: the connection was lost, or the deadline passed.
  case unknown(reason: String)
}

/// A message as a consumer gets it.
public struct Delivery: Sendable {
  public let tag: UInt64
  /// Which life of the channel the tag belongs to.
  public let generation: UInt64
  public let redelivered: Bool
  public let exchange: String
  public let routingKey: String
  public let properties: MessageProperties
  public let body: [UInt8]
  /// The headers were over the limits: `properties` has only the plain ones at the top.
  public let headersExceedLimits: Bool
  /// A property, key or name was not UTF-8 and has been repaired.
  public let hasInvalidText: Bool
}
