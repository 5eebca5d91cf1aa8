import CRabbitMQ
import Glibc

/// Copies what librabbitmq decoded into Swift values, and never follows a sender's nesting further than the limits.
struct PropertyDecoder {
  private let limits: HeaderLimits
  private(set) var hasInvalidText = false
  private(set) var headersExceedLimits = false

  init(limits: HeaderLimits) { self.limits = limits }

  mutating func text(_ bytes: amqp_bytes_t) -> String {
    guard bytes.len > 0, let base = bytes.bytes else { return "" }
    let buffer = UnsafeRawBufferPointer(start: base, count: bytes.len)
    let (text, isRepaired) = Self.text(buffer)
    if isRepaired { hasInvalidText = true }
    return text
  }

  /// `String(validating:)` is not specialised for UTF-8 and costs several times as much.
  private static func text(_ buffer: UnsafeRawBufferPointer) -> (text: String, isRepaired: Bool) {
    var text = String(decoding: buffer, as: UTF8.self)
    let isSame = text.withUTF8 { $0.count == buffer.count && ($0.isEmpty || memcmp($0.baseAddress!, buffer.baseAddress!, $0.count) == 0) }
    return (text, !isSame)
  }

  mutating func properties(_ c: amqp_basic_properties_t) -> MessageProperties {
    var properties = MessageProperties()
    func has(_ flag: Flag) -> Bool { c._flags & flag.rawValue != 0 }
    if has(.contentType) { properties.contentType = text(c.content_type) }
    if has(.contentEncoding) { properties.contentEncoding = text(c.content_encoding) }
    if has(.correlationID) { properties.correlationID = text(c.correlation_id) }
    if has(.replyTo) { properties.replyTo = text(c.reply_to) }
    if has(.expiration) { properties.expiration = text(c.expiration) }
    if has(.messageID) { properties.messageID = text(c.message_id) }
    if has(.type) { properties.type = text(c.type) }
    if has(.userID) { properties.userID = text(c.user_id) }
    if has(.appID) { properties.appID = text(c.app_id) }
    if has(.clusterID) { properties.clusterID = text(c.cluster_id) }
    if has(.deliveryMode) { properties.deliveryMode = c.delivery_mode }
    if has(.priority) { properties.priority = c.priority }
    if has(.timestamp) { properties.timestamp = c.timestamp }
    if has(.headers) { properties.headers = headers(c.headers) }
    return properties
  }

  private mutating func headers(_ table: amqp_table_t) -> [Header] {
    var nested = 0
    if Int(table.num_entries) <= limits.entries, fits(table, depth: 1, nested: &nested) { return whole(table) }
    headersExceedLimits = true
    return entries(table).prefix(limits.entries).compactMap { entry in
      switch UInt8(entry.value.kind) {
      case UInt8(ascii: "F"), UInt8(ascii: "A"): nil
      default: Header(name: text(entry.key), value: value(entry.value))
      }
    }
  }

  private func entries(_ table: amqp_table_t) -> UnsafeBufferPointer<amqp_table_entry_t> {
    UnsafeBufferPointer(start: table.entries, count: Int(table.num_entries))
  }

  /// Whether the table keeps within the limits; looks no deeper than they allow.
  private func fits(_ table: amqp_table_t, depth: Int, nested: inout Int) -> Bool {
    for entry in entries(table) where !fits(entry.value, depth: depth, nested: &nested) { return false }
    return true
  }

  private func fits(_ value: amqp_field_value_t, depth: Int, nested: inout Int) -> Bool {
    let isTable = value.kind == UInt8(ascii: "F")
    guard isTable || value.kind == UInt8(ascii: "A") else { return true }
    nested += Int(isTable ? value.value.table.num_entries : value.value.array.num_entries)
    guard depth < limits.depth, nested <= limits.nested else { return false }
    if isTable { return fits(value.value.table, depth: depth + 1, nested: &nested) }
    for element in UnsafeBufferPointer(start: value.value.array.entries, count: Int(value.value.array.num_entries))
    where !fits(element, depth: depth + 1, nested: &nested) { return false }
    return true
  }

  private mutating func whole(_ table: amqp_table_t) -> [Header] { entries(table).map { Header(name: text($0.key), value: value($0.value)) } }

  private mutating func value(_ c: amqp_field_value_t) -> FieldValue {
    switch UInt8(c.kind) {
    case UInt8(ascii: "t"): return .bool(c.value.boolean != 0)
    case UInt8(ascii: "b"): return .int8(c.value.i8)
    case UInt8(ascii: "B"): return .uint8(c.value.u8)
    case UInt8(ascii: "s"): return .int16(c.value.i16)
    case UInt8(ascii: "u"): return .uint16(c.value.u16)
    case UInt8(ascii: "I"): return .int32(c.value.i32)
    case UInt8(ascii: "i"): return .uint32(c.value.u32)
    case UInt8(ascii: "l"): return .int64(c.value.i64)
    case UInt8(ascii: "L"): return .uint64(c.value.u64)
    case UInt8(ascii: "f"): return .float(c.value.f32)
    case UInt8(ascii: "d"): return .double(c.value.f64)
    case UInt8(ascii: "D"): return .decimal(scale: c.value.decimal.decimals, value: c.value.decimal.value)
    case UInt8(ascii: "S"):
      let buffer = UnsafeRawBufferPointer(start: c.value.bytes.bytes, count: c.value.bytes.len)
      let (text, isRepaired) = Self.text(buffer)
      return isRepaired ? .longBytes(Array(buffer)) : .string(text)
    case UInt8(ascii: "x"): return .bytes(Array(UnsafeRawBufferPointer(start: c.value.bytes.bytes, count: c.value.bytes.len)))
    case UInt8(ascii: "T"): return .timestamp(c.value.u64)
    case UInt8(ascii: "F"): return .table(whole(c.value.table))
    case UInt8(ascii: "A"):
      var values: [FieldValue] = []
      for element in UnsafeBufferPointer(start: c.value.array.entries, count: Int(c.value.array.num_entries)) { values.append(value(element)) }
      return .array(values)
    default: return .void
    }
  }
}
