import Synchronization

/// The labels of a metric: a type whose values are few, so that a metric cannot grow without bound.
package protocol MetricLabels: Hashable, Sendable {
  /// Name and value of each, the value a word that needs no escapes.
  var pairs: [(name: String, value: String)] { get }
}

package struct NoLabels: MetricLabels {
  package init() {}
  package var pairs: [(name: String, value: String)] { [] }
}

/// Something that a scrape shows, in Prometheus' text format 0.0.4.
package protocol MetricFamily: Sendable {
  func write(to text: inout String)
}

enum MetricText {
  static func head(_ name: String, _ kind: String, _ help: String, to text: inout String) {
    text += "# HELP \(name) \(help)\n# TYPE \(name) \(kind)\n"
  }

  static func sample(_ name: String, _ pairs: [(name: String, value: String)], _ value: Double, to text: inout String) {
    let labels = pairs.isEmpty ? "" : "{" + pairs.map { "\($0.name)=\"\($0.value)\"" }.joined(separator: ",") + "}"
    let isWhole = value == value.rounded() && abs(value) < 1e15
    text += "\(name)\(labels) \(isWhole ? "\(Int64(value))" : "\(value)")\n"
  }
}

/// A count that only rises.
package final class Counter<Labels: MetricLabels>: MetricFamily {
  private let name: String
  private let help: String
  private let values = Mutex<[Labels: Int64]>([:])

  package init(_ name: String, _ help: String) {
    self.name = name
    self.help = help
  }

  package func add(_ count: Int64 = 1, _ labels: Labels) { values.withLock { $0[labels, default: 0] += count } }

  package func write(to text: inout String) {
    MetricText.head(name, "counter", help, to: &text)
    for (labels, value) in values.withLock({ $0 }) { MetricText.sample(name, labels.pairs, Double(value), to: &text) }
  }
}

/// A count that is kept elsewhere, and looked up when somebody asks.
package struct ReadCounter: MetricFamily {
  private let name: String
  private let help: String
  private let read: @Sendable () -> Double?

  /// Nil where it cannot be had.
  package init(_ name: String, _ help: String, _ read: @escaping @Sendable () -> Double?) {
    self.name = name
    self.help = help
    self.read = read
  }

  package func write(to text: inout String) {
    MetricText.head(name, "counter", help, to: &text)
    if let value = read() { MetricText.sample(name, [], value, to: &text) }
  }
}

/// Values that are looked up when somebody asks.
package struct Gauge: MetricFamily {
  private let name: String
  private let help: String
  private let read: @Sendable () -> [(pairs: [(name: String, value: String)], value: Double)]

  package init(_ name: String, _ help: String, _ read: @escaping @Sendable () -> [(pairs: [(name: String, value: String)], value: Double)]) {
    self.name = name
    self.help = help
    self.read = read
  }

  package func write(to text: inout String) {
    MetricText.head(name, "gauge", help, to: &text)
    for sample in read() { MetricText.sample(name, sample.pairs, sample.value, to: &text) }
  }
}

/// How often a value was at most so large.
package final class Histogram<Labels: MetricLabels>: MetricFamily {
  private struct Cells {
    var buckets: [Int64]
    var sum = 0.0
  }
  private let name: String
  private let help: String
  private let bounds: [Double]
  private let cells = Mutex<[Labels: Cells]>([:])

  /// `bounds` rise; what is above the last is counted too.
  package init(_ name: String, _ help: String, bounds: [Double]) {
    self.name = name
    self.help = help
    self.bounds = bounds
  }

  package func record(_ value: Double, _ labels: Labels) { record(CollectionOfOne(value), labels) }

  package func record(_ values: some Collection<Double>, _ labels: Labels) {
    cells.withLock { cells in
      var cell = cells.removeValue(forKey: labels) ?? Cells(buckets: [Int64](repeating: 0, count: bounds.count + 1))
      for value in values {
        cell.buckets[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        cell.sum += value
      }
      cells[labels] = cell
    }
  }

  package func write(to text: inout String) {
    MetricText.head(name, "histogram", help, to: &text)
    for (labels, cell) in cells.withLock({ $0 }) { write(cell, as: name, labels.pairs, to: &text) }
  }

  /// The same over all its labels, by another name: counted once, shown twice.
  package func total(_ name: String, _ help: String, _ pairs: [(name: String, value: String)]) -> some MetricFamily {
    HistogramTotal { text in
      MetricText.head(name, "histogram", help, to: &text)
      var total = Cells(buckets: [Int64](repeating: 0, count: self.bounds.count + 1))
      for cell in self.cells.withLock({ Array($0.values) }) {
        for (index, bucket) in cell.buckets.enumerated() { total.buckets[index] += bucket }
        total.sum += cell.sum
      }
      self.write(total, as: name, pairs, to: &text)
    }
  }

  private func write(_ cell: Cells, as name: String, _ pairs: [(name: String, value: String)], to text: inout String) {
    var count: Int64 = 0
    for (index, bucket) in cell.buckets.enumerated() {
      count += bucket
      let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
      MetricText.sample("\(name)_bucket", pairs + [("le", bound)], Double(count), to: &text)
    }
    MetricText.sample("\(name)_sum", pairs, cell.sum, to: &text)
    MetricText.sample("\(name)_count", pairs, Double(count), to: &text)
  }

  /// Seconds, from half a millisecond to a minute.
  package static var durations: [Double] { [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] }
}

private struct HistogramTotal: MetricFamily {
  let writer: @Sendable (inout String) -> Void
  func write(to text: inout String) { writer(&text) }
}
