/// A one-dimensional array in PostgreSQL's binary format, written element by element without boxing any.
///
/// `int32` dimensions, flags, element type, length and lower bound; then for each element its `int32` length (-1 for null) and bytes.
public struct EncodedArray: Sendable {
  private static let headerSize = 20

  private let elementType: OID
  private var elements: [UInt8] = []
  private(set) var count = 0
  private var hasNull = false

  init(elementType: OID, capacity: Int, elementSize: Int) {
    self.elementType = elementType
    elements.reserveCapacity(capacity * (4 + elementSize))
  }

  mutating func appendNull() {
    elements.appendBigEndian(Int32(-1))
    hasNull = true
    count += 1
  }

  @inline(__always)
  mutating func append(_ value: UInt8) {
    elements.appendBigEndian(Int32(1))
    elements.append(value)
    count += 1
  }

  // Length and value go in as one block: tuples of equal words have no padding.

  @inline(__always)
  mutating func append(_ value: Int16) {
    let word = UInt16(bitPattern: value)
    withUnsafeBytes(of: (UInt16(0), UInt16(2).bigEndian, word.bigEndian)) { elements.append(contentsOf: $0) }
    count += 1
  }

  @inline(__always)
  mutating func append(_ value: Int32) {
    withUnsafeBytes(of: (Int32(4).bigEndian, value.bigEndian)) { elements.append(contentsOf: $0) }
    count += 1
  }

  @inline(__always)
  mutating func append(_ value: Int64) {
    let word = UInt64(bitPattern: value)
    withUnsafeBytes(of: (UInt32(8).bigEndian, UInt32(word >> 32).bigEndian, UInt32(truncatingIfNeeded: word).bigEndian)) {
      elements.append(contentsOf: $0)
    }
    count += 1
  }

  @inline(__always)
  mutating func append(high: UInt64, low: UInt64) {
    let words = (
      UInt32(16).bigEndian, UInt32(high >> 32).bigEndian, UInt32(truncatingIfNeeded: high).bigEndian,
      UInt32(low >> 32).bigEndian, UInt32(truncatingIfNeeded: low).bigEndian
    )
    withUnsafeBytes(of: words) { elements.append(contentsOf: $0) }
    count += 1
  }

  mutating func append(_ text: String) {
    elements.appendBigEndian(Int32(text.utf8.count))
    elements.appendUTF8(text)
    count += 1
  }

  mutating func append(_ bytes: [UInt8]) {
    elements.appendBigEndian(Int32(bytes.count))
    elements.append(contentsOf: bytes)
    count += 1
  }

  mutating func append(_ bytes: UnsafeRawBufferPointer) {
    elements.appendBigEndian(Int32(bytes.count))
    elements.append(contentsOf: bytes)
    count += 1
  }

  /// In bytes, as `write` makes them.
  var size: Int { Self.headerSize + elements.count }

  func write(to bytes: inout [UInt8]) {
    bytes.appendBigEndian(Int32(count == 0 ? 0 : 1))
    bytes.appendBigEndian(Int32(hasNull ? 1 : 0))
    bytes.appendBigEndian(elementType)
    if count == 0 { return }
    bytes.appendBigEndian(Int32(count))
    bytes.appendBigEndian(Int32(1))
    bytes.append(contentsOf: elements)
  }
}
