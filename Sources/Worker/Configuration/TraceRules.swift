/// What must hold of the collector's headers.
enum TraceRules {
  /// `name=value` by comma, as OpenTelemetry writes them.
  static func headers(_ text: String?) throws(ConfigurationFaults) -> [(name: String, value: String)] {
    var headers: [(name: String, value: String)] = []
    for pair in (text ?? "").split(separator: ",") {
      let parts = pair.split(separator: "=", maxSplits: 1)
      let name = parts.first?.trimmingPrefix { $0 == " " } ?? ""
      guard parts.count == 2, !name.isEmpty, name.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: ":") }),
        parts[1].utf8.allSatisfy({ (0x20...0x7E).contains($0) })
      else { throw ConfigurationFaults(sentences: ["ORDERS_OTLP_HEADERS must be name=value, several by comma"]) }
      headers.append((String(name), String(parts[1])))
    }
    return headers
  }
}
