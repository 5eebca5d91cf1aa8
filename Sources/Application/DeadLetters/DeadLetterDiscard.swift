import Domain

/// Lets go of dead letters that nobody needs: they are kept for a while, and not replayed.
package struct DeadLetterDiscard: Sendable {
  private let store: any DeadLetterStore
  private let actor: String
  private let now: @Sendable () -> Timestamp

  package init(store: any DeadLetterStore, actor: String, now: @escaping @Sendable () -> Timestamp) {
    self.store = store
    self.actor = actor
    self.now = now
  }

  package struct Report: Sendable, Equatable {
    package var discarded = 0
    /// Not parked: under way again, or done with.
    package var skipped = 0
  }

  package func run(_ selection: DeadLetterSelection) async throws(StoreError) -> Report {
    var selection = selection
    var report = Report()
    while true {
      let page = try await selection.next(500)
      if page.isEmpty { return report }
      let at = now()
      let done = try await store.discard(
        page.map(\.key), DeadLetterEvent(at: at, what: "discarded", actor: actor),
        audit: page.map { AuditEntry(.discard, of: $0, by: actor, at: at) })
      report.discarded += done.count
      report.skipped += page.count - done.count
    }
  }
}
