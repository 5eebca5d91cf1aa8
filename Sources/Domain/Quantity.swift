/// How many pieces of a product: 1 to 1,000,000.
package struct Quantity: Hashable, Comparable, Sendable {
  package static let range: ClosedRange<Int64> = 1...1_000_000
  package let value: Int64
  package init?(_ value: Int64) {
    guard Self.range.contains(value) else { return nil }
    self.value = value
  }
  package static func < (a: Quantity, b: Quantity) -> Bool { a.value < b.value }
}
