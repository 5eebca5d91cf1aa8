/// A column of values for one array parameter, as `unnest($1, $2)` takes them.
public protocol ArrayParameter: Sendable {
  var encoded: EncodedArray { get }
}

extension ArrayParameter {
  public var count: Int { encoded.count }
}

public struct TextArray: ArrayParameter {
  public private(set) var encoded: EncodedArray
  /// `elementSize` is the expected length in bytes, to reserve memory once.
  public init(capacity: Int = 0, elementSize: Int = 16) { encoded = EncodedArray(elementType: .text, capacity: capacity, elementSize: elementSize) }
  public mutating func append(_ value: String) { encoded.append(value) }
  public mutating func append(utf8 bytes: [UInt8]) { encoded.append(bytes) }
  public mutating func append(_ value: String?) { if let value { encoded.append(value) } else { encoded.appendNull() } }
  public mutating func appendNull() { encoded.appendNull() }
}

public struct ByteaArray: ArrayParameter {
  public private(set) var encoded: EncodedArray
  /// `elementSize` is the expected length in bytes, to reserve memory once.
  public init(capacity: Int = 0, elementSize: Int = 32) { encoded = EncodedArray(elementType: .bytea, capacity: capacity, elementSize: elementSize) }
  public mutating func append(_ bytes: [UInt8]) { encoded.append(bytes) }
  public mutating func append(_ bytes: UnsafeRawBufferPointer) { encoded.append(bytes) }
  public mutating func append(_ bytes: [UInt8]?) { if let bytes { encoded.append(bytes) } else { encoded.appendNull() } }
  public mutating func appendNull() { encoded.appendNull() }
}

public struct Int64Array: ArrayParameter {
  public private(set) var encoded: EncodedArray
  public init(capacity: Int = 0) { encoded = EncodedArray(elementType: .int8, capacity: capacity, elementSize: 8) }
  public mutating func append(_ value: Int64) { encoded.append(value) }
  public mutating func append(_ value: Int64?) { if let value { encoded.append(value) } else { encoded.appendNull() } }
  public mutating func appendNull() { encoded.appendNull() }
}

public struct Int32Array: ArrayParameter {
  public private(set) var encoded: EncodedArray
  public init(capacity: Int = 0) { encoded = EncodedArray(elementType: .int4, capacity: capacity, elementSize: 4) }
  public mutating func append(_ value: Int32) { encoded.append(value) }
  public mutating func append(_ value: Int32?) { if let value { encoded.append(value) } else { encoded.appendNull() } }
  public mutating func appendNull() { encoded.appendNull() }
}

public struct Int16Array: ArrayParameter {
  public private(set) var encoded: EncodedArray
  public init(capacity: Int = 0) { encoded = EncodedArray(elementType: .int2, capacity: capacity, elementSize: 2) }
  public mutating func append(_ value: Int16) { encoded.append(value) }
  public mutating func append(_ value: Int16?) { if let value { encoded.append(value) } else { encoded.appendNull() } }
  public mutating func appendNull() { encoded.appendNull() }
}

public struct BoolArray: ArrayParameter {
  public private(set) var encoded: EncodedArray
  public init(capacity: Int = 0) { encoded = EncodedArray(elementType: .bool, capacity: capacity, elementSize: 1) }
  public mutating func append(_ value: Bool) { encoded.append(value ? 1 as UInt8 : 0) }
  public mutating func append(_ value: Bool?) { if let value { append(value) } else { encoded.appendNull() } }
  public mutating func appendNull() { encoded.appendNull() }
}

public struct UUIDArray: ArrayParameter {
  public private(set) var encoded: EncodedArray
  public init(capacity: Int = 0) { encoded = EncodedArray(elementType: .uuid, capacity: capacity, elementSize: 16) }
  public mutating func append(high: UInt64, low: UInt64) { encoded.append(high: high, low: low) }
  public mutating func appendNull() { encoded.appendNull() }
}

/// Of `timestamptz`, in microseconds since 1970.
public struct TimestampArray: ArrayParameter {
  public private(set) var encoded: EncodedArray
  public init(capacity: Int = 0) { encoded = EncodedArray(elementType: .timestamptz, capacity: capacity, elementSize: 8) }
  public mutating func append(_ microseconds: Int64) { encoded.append(PostgresEpoch.encode(microseconds)) }
  public mutating func append(_ microseconds: Int64?) { if let microseconds { append(microseconds) } else { encoded.appendNull() } }
  public mutating func appendNull() { encoded.appendNull() }
}
