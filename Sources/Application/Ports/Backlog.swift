import Domain

/// How much waits, as the database has it: the same from every worker.
package struct Backlog: Sendable {
  package struct Entry: Sendable {
    /// At most `mostCounted`.
    package let count: Int64
    package let oldest: Duration
    package init(count: Int64, oldest: Duration) {
      self.count = count
      self.oldest = oldest
    }
  }
  /// Counting goes no further than this, so that a look costs little however much there is.
  package static let mostCounted: Int64 = 100_000

  package var inStatus: [OrderStatus: Entry] = [:]
  package var outbox: Entry
  package var payments: Entry
  /// Dead letters that wait for somebody.
  package var parked: Int64

  package init(outbox: Entry, payments: Entry, parked: Int64) {
    self.outbox = outbox
    self.payments = payments
    self.parked = parked
  }
}

package protocol BacklogReader: Sendable {
  func backlog() async throws(StoreError) -> Backlog
}
