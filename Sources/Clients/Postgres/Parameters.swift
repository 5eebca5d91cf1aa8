/// One value for a statement's `$n`, sent in PostgreSQL's binary format.
public enum Parameter: Sendable {
  case null
  case bool(Bool)
  case int16(Int16)
  case int32(Int32)
  case int64(Int64)
  case text(String)
  /// `bytea`, or UTF-8 for `text`: both travel as they are.
  case bytes([UInt8])
  case uuid(high: UInt64, low: UInt64)
  /// `timestamptz`, in microseconds since 1970.
  case timestamp(Int64)
  case encodedArray(EncodedArray)

  public static func bytea(_ bytes: [UInt8]) -> Parameter { .bytes(bytes) }
  public static func text(utf8: [UInt8]) -> Parameter { .bytes(utf8) }
  public static func array(_ array: some ArrayParameter) -> Parameter { .encodedArray(array.encoded) }

  /// In bytes, at least.
  fileprivate var size: Int {
    switch self {
    case .null, .bool, .int16, .int32, .int64, .uuid, .timestamp: 16
    case .text(let text): text.utf8.count
    case .bytes(let bytes): bytes.count
    case .encodedArray(let array): array.size
    }
  }
}

/// The values of a statement's `$1`, `$2`, …, in one buffer that goes to libpq as it is.
public struct Parameters: Sendable, ExpressibleByArrayLiteral {
  // Starts with a byte of padding, so that an empty first value has an address too: libpq takes NULL for SQL's null.
  private var bytes: [UInt8] = [0]
  private var starts: [Int] = []
  private var lengths: [Int32] = []

  public init() {}

  public init(_ parameters: [Parameter]) {
    starts.reserveCapacity(parameters.count)
    lengths.reserveCapacity(parameters.count)
    bytes.reserveCapacity(parameters.reduce(1) { $0 + $1.size })
    for parameter in parameters { append(parameter) }
  }

  public init(arrayLiteral elements: Parameter...) { self.init(elements) }

  public var count: Int { starts.count }

  public mutating func append(_ parameter: Parameter) {
    let start = bytes.count
    switch parameter {
    case .null:
      starts.append(-1)
      lengths.append(0)
      return
    case .bool(let value): bytes.append(value ? 1 : 0)
    case .int16(let value): bytes.appendBigEndian(value)
    case .int32(let value): bytes.appendBigEndian(value)
    case .int64(let value): bytes.appendBigEndian(value)
    case .text(let value): bytes.appendUTF8(value)
    case .bytes(let value): bytes.append(contentsOf: value)
    case .uuid(let high, let low):
      bytes.appendBigEndian(high)
      bytes.appendBigEndian(low)
    case .timestamp(let value): bytes.appendBigEndian(PostgresEpoch.encode(value))
    case .encodedArray(let array): array.write(to: &bytes)
    }
    starts.append(start)
    lengths.append(Int32(bytes.count - start))
  }

  /// The arguments of `PQsendQueryPrepared`; the pointers live as long as the call.
  func withPointers<R>(
    _ body: (_ values: UnsafePointer<UnsafePointer<CChar>?>?, _ lengths: UnsafePointer<Int32>?, _ formats: UnsafePointer<Int32>?) -> R
  ) -> R {
    bytes.withUnsafeBytes { buffer in
      let base = buffer.baseAddress!.assumingMemoryBound(to: CChar.self)
      let values: [UnsafePointer<CChar>?] = starts.map { $0 < 0 ? nil : base + $0 }
      let formats = [Int32](repeating: 1, count: starts.count)
      return body(values, lengths, formats)
    }
  }
}

/// PostgreSQL counts microseconds from the start of 2000.
enum PostgresEpoch {
  static let microsecondsAfter1970: Int64 = 946_684_800_000_000

  /// What does not fit becomes a time that the server refuses (22008) rather than its -infinity.
  static func encode(_ microseconds: Int64) -> Int64 {
    let (value, overflow) = microseconds.subtractingReportingOverflow(microsecondsAfter1970)
    return overflow || value == .min ? .min + 1 : value
  }

  /// `infinity` comes out as `Int64.max`, `-infinity` as `Int64.min`.
  static func decode(_ value: Int64) -> Int64 {
    if value == .min || value == .max { return value }
    let (microseconds, overflow) = value.addingReportingOverflow(microsecondsAfter1970)
    return overflow ? .max : microseconds
  }
}

extension [UInt8] {
  @inline(__always)
  mutating func appendBigEndian(_ value: some FixedWidthInteger) {
    Swift.withUnsafeBytes(of: value.bigEndian) { append(contentsOf: $0) }
  }

  mutating func appendUTF8(_ text: String) {
    if text.utf8.withContiguousStorageIfAvailable({ append(contentsOf: $0) }) == nil { append(contentsOf: text.utf8) }
  }
}
