/// What must hold of the collector's headers.
enum TraceRules {
  /// `name=value` by comma; in a value `%20` is a space and so on, as in OpenTelemetry's `OTEL_EXPORTER_OTLP_HEADERS`.
  static func headers(_ text: String?) throws(ConfigurationFaults) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    for pair in (text ?? "").split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      let name = parts.first?.trimmingPrefix { $0 == " " } ?? ""
      guard parts.count == 2, !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }),
        let value = decoded(parts[1]), value.utf8.allSatisfy({ (0x20...0x7E).contains($0) })
      else { throw ConfigurationFaults(sentences: ["ORDERS_OTLP_HEADERS must be name=value, several by comma"]) }
      headers.append((String(name), value))
    }
    return headers
  }

  /// Nil where a percent sign is not followed by two hexadecimal digits.
  private static func decoded(_ text: Substring) -> String? {
    var bytes: [UInt8] = []
    var rest = text.utf8
    while let byte = rest.popFirst() {
      guard byte == UInt8(ascii: "%") else {
        bytes.append(byte)
        continue
      }
      let digits = rest.prefix(2)
      guard digits.count == 2, let value = UInt8(Substring(digits), radix: 16) else { return nil }
      bytes.append(value)
      rest = rest.dropFirst(2)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
