import Application
import CRabbitMQ

@testable import RabbitMQAdapter
@testable import RabbitMQClient

/// The bytes of a header frame's properties, through librabbitmq and back: what is read is within the limits, and is read the same when it is sent on.
enum PropertiesTarget {
  private static let limits = HeaderLimits()

  static func run(_ input: [UInt8]) {
    guard let (properties, decoder) = read(input) else { return }
    expect(properties.headers.count <= limits.entries, "too many headers were taken")
    var nested = 0
    for header in properties.headers { expect(fits(header.value, 1, &nested), "headers beyond the limits were taken") }
    expect(nested <= limits.nested, "too many nested entries were taken")
    if !decoder.hasInvalidText, let bytes = written(properties) {
      let (again, _) = expected(read(bytes), "what was sent on cannot be read")
      expect(same(again, properties), "what was sent on is read as something else")
    }
    let delivery = Delivery(
      tag: 1, generation: 1, redelivered: false, exchange: "e", routingKey: "k", properties: properties, body: [],
      headersExceedLimits: decoder.headersExceedLimits, hasInvalidText: decoder.hasInvalidText)
    let publication = Publication(ReceivedMessage(delivery).message, mandatory: true).fitted()
    expect((written(publication.properties)?.count).map { $0 <= 131_000 } ?? false, "a message could not be passed on")
  }

  private static func fits(_ value: FieldValue, _ depth: Int, _ nested: inout Int) -> Bool {
    switch value {
    case .table(let entries):
      nested += entries.count
      return depth < limits.depth && entries.allSatisfy { fits($0.value, depth + 1, &nested) }
    case .array(let values):
      nested += values.count
      return depth < limits.depth && values.allSatisfy { fits($0, depth + 1, &nested) }
    default: return true
    }
  }

  /// Numbers that are none (NaN) are the same here, and not equal.
  private static func same(_ a: MessageProperties, _ b: MessageProperties) -> Bool { a == b || "\(a)" == "\(b)" }

  private static func read(_ bytes: [UInt8]) -> (MessageProperties, PropertyDecoder)? {
    var pool = amqp_pool_t()
    init_amqp_pool(&pool, 4_096)
    defer { empty_amqp_pool(&pool) }
    var bytes = bytes
    return bytes.withUnsafeMutableBytes { buffer in
      var decoded: UnsafeMutableRawPointer?
      let encoded = amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress)
      guard amqp_decode_properties(60, &pool, encoded, &decoded) >= 0, let decoded else { return nil }
      var decoder = PropertyDecoder(limits: limits)
      let properties = decoder.properties(decoded.load(as: amqp_basic_properties_t.self))
      return (properties, decoder)
    }
  }

  /// Nil for what cannot be said in AMQP's short texts.
  private static func written(_ properties: MessageProperties) -> [UInt8]? {
    let arena = Arena()
    guard var c = try? arena.properties(properties) else { return nil }
    var bytes = [UInt8](repeating: 0, count: 300_000)
    let count = bytes.withUnsafeMutableBytes { buffer in
      amqp_encode_properties(60, &c, amqp_bytes_t(len: buffer.count, bytes: buffer.baseAddress))
    }
    return count < 0 ? nil : Array(bytes[..<Int(count)])
  }
}
