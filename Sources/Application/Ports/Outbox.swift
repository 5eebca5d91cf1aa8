import Domain

/// Rows of the outbox that are due.
package struct OutboxPage: Sendable {
  package var events: [EncodedEvent]
  package var replies: [StoredReply]
  package init(events: [EncodedEvent] = [], replies: [StoredReply] = []) {
    self.events = events
    self.replies = replies
  }
  package var isEmpty: Bool { events.isEmpty && replies.isEmpty }
}

/// The outbox as the relay sees it.
package protocol Outbox: Leadership {
  /// The oldest unsent event of each order that has one older than `age` and due, and the replies of that age: at most `limit` rows.
  func oldest(age: Duration, limit: Int) async throws(StoreError) -> OutboxPage
  /// These were not confirmed: they are due again after a wait that grows with each attempt.
  func postpone(_ keys: [OutboxKey]) async throws(StoreError)
  func forget(_ sent: [OutboxKey]) async throws(StoreError)
}
