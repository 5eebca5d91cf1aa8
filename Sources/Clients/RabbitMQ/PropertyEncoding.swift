import CRabbitMQ

extension Arena {
  func properties(_ properties: MessageProperties) throws(AMQPError) -> amqp_basic_properties_t {
    var c = amqp_basic_properties_t()
    if let text = properties.contentType {
      c._flags |= Flag.contentType.rawValue
      c.content_type = try shortBytes(text, "content type")
    }
    if let text = properties.contentEncoding {
      c._flags |= Flag.contentEncoding.rawValue
      c.content_encoding = try shortBytes(text, "content encoding")
    }
    if let text = properties.correlationID {
      c._flags |= Flag.correlationID.rawValue
      c.correlation_id = try shortBytes(text, "correlation id")
    }
    if let text = properties.replyTo {
      c._flags |= Flag.replyTo.rawValue
      c.reply_to = try shortBytes(text, "reply-to")
    }
    if let text = properties.expiration {
      c._flags |= Flag.expiration.rawValue
      c.expiration = try shortBytes(text, "expiration")
    }
    if let text = properties.messageID {
      c._flags |= Flag.messageID.rawValue
      c.message_id = try shortBytes(text, "message id")
    }
    if let text = properties.type {
      c._flags |= Flag.type.rawValue
      c.type = try shortBytes(text, "type")
    }
    if let text = properties.userID {
      c._flags |= Flag.userID.rawValue
      c.user_id = try shortBytes(text, "user id")
    }
    if let text = properties.appID {
      c._flags |= Flag.appID.rawValue
      c.app_id = try shortBytes(text, "app id")
    }
    if let text = properties.clusterID {
      c._flags |= Flag.clusterID.rawValue
      c.cluster_id = try shortBytes(text, "cluster id")
    }
    if let mode = properties.deliveryMode {
      c._flags |= Flag.deliveryMode.rawValue
      c.delivery_mode = mode
    }
    if let priority = properties.priority {
      c._flags |= Flag.priority.rawValue
      c.priority = priority
    }
    if let timestamp = properties.timestamp {
      c._flags |= Flag.timestamp.rawValue
      c.timestamp = timestamp
    }
    if !properties.headers.isEmpty {
      c._flags |= Flag.headers.rawValue
      c.headers = try table(properties.headers)
    }
    return c
  }

  func table(_ headers: [Header]) throws(AMQPError) -> amqp_table_t {
    guard !headers.isEmpty else { return amqp_table_t(num_entries: 0, entries: nil) }
    let entries = allocate(headers.count * MemoryLayout<amqp_table_entry_t>.stride).bindMemory(to: amqp_table_entry_t.self, capacity: headers.count)
    for (i, header) in headers.enumerated() {
      (entries + i).initialize(to: amqp_table_entry_t(key: try shortBytes(header.name, "header's name"), value: try value(header.value)))
    }
    return amqp_table_t(num_entries: Int32(headers.count), entries: entries)
  }

  private func value(_ value: FieldValue) throws(AMQPError) -> amqp_field_value_t {
    var c = amqp_field_value_t()
    switch value {
    case .bool(let v): (c.kind, c.value.boolean) = (UInt8(ascii: "t"), v ? 1 : 0)
    case .int8(let v): (c.kind, c.value.i8) = (UInt8(ascii: "b"), v)
    case .uint8(let v): (c.kind, c.value.u8) = (UInt8(ascii: "B"), v)
    case .int16(let v): (c.kind, c.value.i16) = (UInt8(ascii: "s"), v)
    case .uint16(let v): (c.kind, c.value.u16) = (UInt8(ascii: "u"), v)
    case .int32(let v): (c.kind, c.value.i32) = (UInt8(ascii: "I"), v)
    case .uint32(let v): (c.kind, c.value.u32) = (UInt8(ascii: "i"), v)
    case .int64(let v): (c.kind, c.value.i64) = (UInt8(ascii: "l"), v)
    case .uint64(let v): (c.kind, c.value.u64) = (UInt8(ascii: "L"), v)
    case .float(let v): (c.kind, c.value.f32) = (UInt8(ascii: "f"), v)
    case .double(let v): (c.kind, c.value.f64) = (UInt8(ascii: "d"), v)
    case .decimal(let scale, let v): (c.kind, c.value.decimal) = (UInt8(ascii: "D"), amqp_decimal_t(decimals: scale, value: v))
    case .string(let v): (c.kind, c.value.bytes) = (UInt8(ascii: "S"), bytes(v))
    case .longBytes(let v): (c.kind, c.value.bytes) = (UInt8(ascii: "S"), bytes(v))
    case .bytes(let v): (c.kind, c.value.bytes) = (UInt8(ascii: "x"), bytes(v))
    case .timestamp(let v): (c.kind, c.value.u64) = (UInt8(ascii: "T"), v)
    case .table(let v): (c.kind, c.value.table) = (UInt8(ascii: "F"), try table(v))
    case .array(let v): (c.kind, c.value.array) = (UInt8(ascii: "A"), try array(v))
    case .void: c.kind = UInt8(ascii: "V")
    }
    return c
  }

  private func array(_ values: [FieldValue]) throws(AMQPError) -> amqp_array_t {
    guard !values.isEmpty else { return amqp_array_t(num_entries: 0, entries: nil) }
    let entries = allocate(values.count * MemoryLayout<amqp_field_value_t>.stride).bindMemory(to: amqp_field_value_t.self, capacity: values.count)
    for (i, element) in values.enumerated() { (entries + i).initialize(to: try value(element)) }
    return amqp_array_t(num_entries: Int32(values.count), entries: entries)
  }
}

/// Which of the basic properties are there, as the header frame's flags say it.
struct Flag {
  let rawValue: amqp_flags_t
  static let contentType = Flag(rawValue: 1 << 15)
  static let contentEncoding = Flag(rawValue: 1 << 14)
  static let headers = Flag(rawValue: 1 << 13)
  static let deliveryMode = Flag(rawValue: 1 << 12)
  static let priority = Flag(rawValue: 1 << 11)
  static let correlationID = Flag(rawValue: 1 << 10)
  static let replyTo = Flag(rawValue: 1 << 9)
  static let expiration = Flag(rawValue: 1 << 8)
  static let messageID = Flag(rawValue: 1 << 7)
  static let timestamp = Flag(rawValue: 1 << 6)
  static let type = Flag(rawValue: 1 << 5)
  static let userID = Flag(rawValue: 1 << 4)
  static let appID = Flag(rawValue: 1 << 3)
  static let clusterID = Flag(rawValue: 1 << 2)
}
