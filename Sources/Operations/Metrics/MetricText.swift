/// What a scrape is answered with, while it is written.
package struct MetricText {
  package enum Format: Sendable {
    /// Prometheus' text format 0.0.4.
    case prometheus
    /// OpenMetrics 1.0, which can also name the trace of an example.
    case openMetrics

    /// The one that whoever asks can read; `accept` is the header of that name.
    package static func suiting(accept: String?) -> Format { accept?.contains("application/openmetrics-text") == true ? .openMetrics : .prometheus }

    package var mediaType: String {
      switch self {
      case .prometheus: "text/plain; version=0.0.4; charset=utf-8"
      case .openMetrics: "application/openmetrics-text; version=1.0.0; charset=utf-8"
      }
    }
  }

  package private(set) var text = ""
  private let format: Format

  package init(_ format: Format = .prometheus) { self.format = format }

  mutating func head(_ name: String, _ kind: String, _ help: String) {
    // The family's name, which OpenMetrics has without the ending of its samples.
    let family = format == .openMetrics && kind == "counter" && name.hasSuffix("_total") ? String(name.dropLast("_total".count)) : name
    text += "# HELP \(family) \(help)\n# TYPE \(family) \(kind)\n"
  }

  mutating func sample(_ name: String, _ pairs: [(name: String, value: String)], _ value: Double, example: Exemplar? = nil) {
    let labels = pairs.isEmpty ? "" : "{" + pairs.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    text += "\(name)\(labels) \(Self.number(value))"
    if format == .openMetrics, let example {
      text += " # {trace_id=\"\(example.traceID)\"} \(Self.number(example.value))"
    }
    text += "\n"
  }

  mutating func end() { if format == .openMetrics { text += "# EOF\n" } }

  private static func number(_ value: Double) -> String {
    value == value.rounded() && abs(value) < 1e15 ? "\(Int64(value))" : "\(value)"
  }
}

/// One value of a histogram, with the trace that tells its story.
package struct Exemplar: Sendable {
  package let value: Double
  /// 32 hexadecimal digits.
  package let traceID: String
  package init(value: Double, traceID: String) {
    self.value = value
    self.traceID = traceID
  }
}
