import CRabbitMQ

extension Arena {
  func properties(_ properties: MessageProperties) -> amqp_basic_properties_t {
    var c = amqp_basic_properties_t()
    func set(_ text: String?, _ flag: Flag, _ field: WritableKeyPath<amqp_basic_properties_t, amqp_bytes_t>) {
      guard let text else { return }
      c._flags |= flag.rawValue
      c[keyPath: field] = bytes(text)
    }
    set(properties.contentType, .contentType, \.content_type)
    set(properties.contentEncoding, .contentEncoding, \.content_encoding)
    set(properties.correlationID, .correlationID, \.correlation_id)
    set(properties.replyTo, .replyTo, \.reply_to)
    set(properties.expiration, .expiration, \.expiration)
    set(properties.messageID, .messageID, \.message_id)
    set(properties.type, .type, \.type)
    set(properties.userID, .userID, \.user_id)
    set(properties.appID, .appID, \.app_id)
    set(properties.clusterID, .clusterID, \.cluster_id)
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
      c.headers = table(properties.headers)
    }
    return c
  }

  func table(_ headers: [Header]) -> amqp_table_t {
    guard !headers.isEmpty else { return amqp_table_t(num_entries: 0, entries: nil) }
    let entries = allocate(headers.count * MemoryLayout<amqp_table_entry_t>.stride).bindMemory(to: amqp_table_entry_t.self, capacity: headers.count)
    for (i, header) in headers.enumerated() { (entries + i).initialize(to: amqp_table_entry_t(key: bytes(header.name), value: value(header.value))) }
    return amqp_table_t(num_entries: Int32(headers.count), entries: entries)
  }

  private func value(_ value: FieldValue) -> amqp_field_value_t {
    var c = amqp_field_value_t()
    func kind(_ letter: Unicode.Scalar) { c.kind = UInt8(ascii: letter) }
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
    case .table(let v): (c.kind, c.value.table) = (UInt8(ascii: "F"), table(v))
    case .array(let v): (c.kind, c.value.array) = (UInt8(ascii: "A"), array(v))
    case .void: kind("V")
    }
    return c
  }

  private func array(_ values: [FieldValue]) -> amqp_array_t {
    guard !values.isEmpty else { return amqp_array_t(num_entries: 0, entries: nil) }
    let entries = allocate(values.count * MemoryLayout<amqp_field_value_t>.stride).bindMemory(to: amqp_field_value_t.self, capacity: values.count)
    for (i, element) in values.enumerated() { (entries + i).initialize(to: value(element)) }
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
