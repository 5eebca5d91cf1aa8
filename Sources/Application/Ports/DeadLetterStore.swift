import Domain

/// Which dead letters are meant.
package struct DeadLetterFilter: Sendable, Equatable {
  /// Nil: whatever their state.
  package var states: Set<DeadLetterState>?
  package var reason: DeadLetterReason?
  /// As it came, or without its version.
  package var type: String?
  package var since: Timestamp?
  package var order: OrderID?

  package init(
    states: Set<DeadLetterState>? = [.parked, .replaying], reason: DeadLetterReason? = nil, type: String? = nil, since: Timestamp? = nil, order: OrderID? = nil
  ) {
    self.states = states
    self.reason = reason
    self.type = type
    self.since = since
    self.order = order
  }
}

package enum DeadLetterGrouping: String, Sendable, CaseIterable { case reason, error, type }

package struct DeadLetterGroup: Sendable, Equatable {
  /// Nil for letters without a type.
  package let name: String?
  package let count: Int64
  package let oldest: Timestamp
  package let newest: Timestamp

  package init(name: String?, count: Int64, oldest: Timestamp, newest: Timestamp) {
    self.name = name
    self.count = count
    self.oldest = oldest
    self.newest = newest
  }
}

/// A place in the order by failure and id.
package struct DeadLetterPosition: Sendable, Equatable {
  package let failedAt: Timestamp
  package let id: UUIDValue

  package init(failedAt: Timestamp, id: UUIDValue) {
    self.failedAt = failedAt
    self.id = id
  }
}

/// Where dead letters are kept.
package protocol DeadLetterStore: Sendable {
  /// One transaction for all of them. A letter that is there is parked again with what this failure says of it, where it is a later one; its message
  /// stays as it first came.
  func ingest(_ arrivals: [DeadLetterArrival]) async throws(StoreError)

  /// Newest first; what stands behind `position`, at most `limit`.
  func newest(_ filter: DeadLetterFilter, tenant: TenantID, after position: DeadLetterPosition?, limit: Int) async throws(StoreError) -> [DeadLetter]
  /// The largest first, at most `limit`.
  func groups(
    _ filter: DeadLetterFilter, tenant: TenantID, by grouping: DeadLetterGrouping, limit: Int
  ) async throws(StoreError) -> [DeadLetterGroup]
  func count(_ filter: DeadLetterFilter, tenant: TenantID) async throws(StoreError) -> Int64
  /// The letters with ids in this range, at most `limit`.
  func find(_ ids: ClosedRange<UUIDValue>, tenant: TenantID, limit: Int) async throws(StoreError) -> [DeadLetter]

  /// Returns when it is worth trying again after `unavailable`, or when the task is cancelled.
  func untilAvailable() async
}
