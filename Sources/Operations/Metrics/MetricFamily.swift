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

/// Something that a scrape shows.
package protocol MetricFamily: Sendable {
  func write(to text: inout MetricText)
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

  /// Shows these from the start, as 0: a rate is told from the first event on only where there was a value before it.
  package func begin(_ known: some Sequence<Labels>) {
    values.withLock { values in for labels in known { values[labels, default: 0] += 0 } }
  }

  package func add(_ count: Int64 = 1, _ labels: Labels) { values.withLock { $0[labels, default: 0] += count } }

  package func write(to text: inout MetricText) {
    text.head(name, "counter", help)
    for (labels, value) in values.withLock({ $0 }) { text.sample(name, labels.pairs, Double(value)) }
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

  package func write(to text: inout MetricText) {
    text.head(name, "counter", help)
    if let value = read() { text.sample(name, [], value) }
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

  package func write(to text: inout MetricText) {
    text.head(name, "gauge", help)
    for sample in read() { text.sample(name, sample.pairs, sample.value) }
  }
}

/// How often a value was at most so large.
package final class Histogram<Labels: MetricLabels>: MetricFamily {
  private struct Cells {
    var buckets: [Int64]
    /// The last of each bucket.
    var examples: [Int: Exemplar] = [:]
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

  /// Shows these from the start, as 0.
  package func begin(_ known: some Sequence<Labels>) { for labels in known { record([], labels) } }

  package func record(_ value: Double, _ labels: Labels) { record(CollectionOfOne(value), labels) }

  package func record(_ values: some Collection<Double>, _ labels: Labels, example: Exemplar? = nil) {
    cells.withLock { cells in
      var cell = cells.removeValue(forKey: labels) ?? Cells(buckets: [Int64](repeating: 0, count: bounds.count + 1))
      for value in values {
        cell.buckets[bucket(of: value)] += 1
        cell.sum += value
      }
      if let example { cell.examples[bucket(of: example.value)] = example }
      cells[labels] = cell
    }
  }

  private func bucket(of value: Double) -> Int { bounds.firstIndex { value <= $0 } ?? bounds.count }

  package func write(to text: inout MetricText) {
    text.head(name, "histogram", help)
    for (labels, cell) in cells.withLock({ $0 }) { write(cell, as: name, labels.pairs, to: &text) }
  }

  /// The same over all its labels, by another name: counted once, shown twice.
  package func total(_ name: String, _ help: String, _ pairs: [(name: String, value: String)]) -> some MetricFamily {
    HistogramTotal { text in
      text.head(name, "histogram", help)
      var total = Cells(buckets: [Int64](repeating: 0, count: self.bounds.count + 1))
      for cell in self.cells.withLock({ Array($0.values) }) {
        for (index, bucket) in cell.buckets.enumerated() { total.buckets[index] += bucket }
        total.sum += cell.sum
      }
      self.write(total, as: name, pairs, to: &text)
    }
  }

  private func write(_ cell: Cells, as name: String, _ pairs: [(name: String, value: String)], to text: inout MetricText) {
    var count: Int64 = 0
    for (index, bucket) in cell.buckets.enumerated() {
      count += bucket
      let bound = index < bounds.count ? "\(bounds[index])" : "+Inf"
      text.sample("\(name)_bucket", pairs + [("le", bound)], Double(count), example: cell.examples[index])
    }
    text.sample("\(name)_sum", pairs, cell.sum)
    text.sample("\(name)_count", pairs, Double(count))
  }

  /// Seconds, from half a millisecond to a minute.
  package static var durations: [Double] { [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] }
}

private struct HistogramTotal: MetricFamily {
  let writer: @Sendable (inout MetricText) -> Void
  func write(to text: inout MetricText) { writer(&text) }
}
