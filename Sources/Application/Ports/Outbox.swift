import Domain

/// The outbox as the relay sees it.
package protocol Outbox: Sendable {
  /// Takes or keeps the lease on relaying, for `duration` of the store's clock; false where another holds it.
  func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool
  /// Gives the lease back, if it is ours.
  func release(holder: String) async throws(StoreError)
  /// The oldest unsent event of each order that has one older than `age` and due, at most `limit` of them.
  func oldest(age: Duration, limit: Int) async throws(StoreError) -> [EncodedEvent]
  /// These were not confirmed: they are due again after a wait that grows with each attempt.
  func postpone(_ keys: [OutboxKey]) async throws(StoreError)
  func forget(_ sent: [OutboxKey]) async throws(StoreError)
}
