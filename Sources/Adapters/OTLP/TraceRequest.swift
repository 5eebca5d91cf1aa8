import Application
import Domain

/// Spans as an `ExportTraceServiceRequest` of OTLP 1 (opentelemetry-proto, `trace.proto`). The numbers are those of its fields.
struct TraceRequest {
  /// What says who recorded the spans, by OpenTelemetry's names: `service.name` and the like.
  let resource: [String: String]

  func encoded(_ spans: [Span]) -> [UInt8] {
    var request = ProtobufWriter()
    request.message(1) { perResource in
      perResource.message(1) { described in
        for (key, value) in resource.sorted(by: { $0.key < $1.key }) { described.attribute(1, key, .text(value)) }
      }
      perResource.message(2) { perScope in
        perScope.message(1) { $0.text(1, "order-worker") }
        for span in spans { perScope.message(2) { $0.span(span) } }
      }
    }
    return request.bytes
  }
}

extension ProtobufWriter {
  fileprivate mutating func span(_ span: Span) {
    bytes(1, Self.id(span.context.trace))
    bytes(2, Self.id(span.context.span))
    if let parent = span.parent { bytes(4, Self.id(parent)) }
    text(5, span.name)
    number(6, span.kind.rawValue)
    fixed(7, Self.nanoseconds(span.begin))
    fixed(8, Self.nanoseconds(span.end))
    for (key, value) in span.attributes.sorted(by: { $0.key < $1.key }) { attribute(9, key, value) }
    for link in span.links {
      message(13) {
        $0.bytes(1, Self.id(link.trace))
        $0.bytes(2, Self.id(link.span))
      }
    }
    if let error = span.error {
      message(15) {
        $0.text(2, error)
        $0.number(3, 2)  // STATUS_CODE_ERROR
      }
    }
  }

  fileprivate mutating func attribute(_ field: Int, _ key: String, _ value: Span.Value) {
    message(field) { pair in
      pair.text(1, key)
      pair.message(2) { any in
        switch value {
        case .text(let text): any.text(1, text)
        case .number(let number): any.number(3, UInt64(bitPattern: number))
        }
      }
    }
  }

  private static func id(_ id: UUIDValue) -> [UInt8] { Self.id(id.high) + Self.id(id.low) }
  private static func id(_ word: UInt64) -> [UInt8] { withUnsafeBytes(of: word.bigEndian, Array.init) }
  private static func nanoseconds(_ moment: Timestamp) -> UInt64 { UInt64(max(0, moment.microseconds)) * 1_000 }
}
