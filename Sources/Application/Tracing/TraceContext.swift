import Domain

/// A span's place in a trace, as W3C Trace Context writes it in `traceparent` (https://www.w3.org/TR/trace-context/).
package struct TraceContext: Hashable, Sendable {
  /// The 16 bytes of the trace's id; not all zero.
  package let trace: UUIDValue
  /// The 8 bytes of the span's id; not zero.
  package let span: UInt64
  /// Whether those before in the trace record their part of it.
  package let isSampled: Bool

  package init(trace: UUIDValue, span: UInt64, isSampled: Bool = true) {
    self.trace = trace
    self.span = span
    self.isSampled = isSampled
  }

  /// Version, trace id, parent id and flags in lower-case hexadecimal, neither id all zero; nil for anything else. Later versions may have more behind
  /// these, which is not taken.
  package init?(_ traceparent: String) {
    var words: (high: UInt64, low: UInt64, span: UInt64) = (0, 0, 0)
    var (version, flags): (UInt8, UInt8) = (0, 0)
    guard traceparent.utf8.count == 55 else { return nil }
    for (i, byte) in traceparent.utf8.enumerated() {
      if i == 2 || i == 35 || i == 52 {
        guard byte == UInt8(ascii: "-") else { return nil }
        continue
      }
      let digit: UInt8
      switch byte {
      case 0x30...0x39: digit = byte - 0x30
      case 0x61...0x66: digit = byte - 0x61 + 10
      default: return nil
      }
      switch i {
      case ..<2: version = version << 4 | digit
      case ..<19: words.high = words.high << 4 | UInt64(digit)
      case ..<35: words.low = words.low << 4 | UInt64(digit)
      case ..<52: words.span = words.span << 4 | UInt64(digit)
      default: flags = flags << 4 | digit
      }
    }
    guard version != 0xFF, words.high | words.low != 0, words.span != 0 else { return nil }
    self.init(trace: UUIDValue(high: words.high, low: words.low), span: words.span, isSampled: flags & 1 == 1)
  }

  /// Of version 00.
  package var traceparent: String {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(55)
    append(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `traceparent`, 55 bytes.
  package func append(to bytes: inout [UInt8]) {
    bytes.append(contentsOf: "00-".utf8)
    Self.append(trace.high, to: &bytes)
    Self.append(trace.low, to: &bytes)
    bytes.append(UInt8(ascii: "-"))
    Self.append(span, to: &bytes)
    bytes.append(contentsOf: (isSampled ? "-01" : "-00").utf8)
  }

  /// The trace's id in 32 digits of lower case.
  package var traceID: String {
    var bytes: [UInt8] = []
    Self.append(trace.high, to: &bytes)
    Self.append(trace.low, to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  private static func append(_ word: UInt64, to bytes: inout [UInt8]) {
    for shift in stride(from: 60, through: 0, by: -4) {
      let digit = UInt8(word >> UInt64(shift) & 15)
      bytes.append(digit < 10 ? 0x30 + digit : 0x61 + digit - 10)
    }
  }
}
