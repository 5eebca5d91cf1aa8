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
  /// A part of the error, or what `list --by error` shows of it.
  package var error: String?

  package init(
    states: Set<DeadLetterState>? = [.parked, .replaying], reason: DeadLetterReason? = nil, type: String? = nil, since: Timestamp? = nil,
    order: OrderID? = nil, error: String? = nil
  ) {
    self.states = states
    self.reason = reason
    self.type = type
    self.since = since
    self.order = order
    self.error = error
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

/// A letter that somebody wants to replay, as it is to be published.
package struct ReplayClaim: Sendable {
  package let key: DeadLetterKey
  /// What the command's claim will say.
  package let mark: ClaimMark?
  package let event: DeadLetterEvent
  package let audit: [AuditEntry]

  package init(key: DeadLetterKey, mark: ClaimMark?, event: DeadLetterEvent, audit: [AuditEntry]) {
    self.key = key
    self.mark = mark
    self.event = event
    self.audit = audit
  }
}

/// What became of a replayed letter so far.
package enum ReplayProgress: Sendable, Equatable {
  case underWay
  /// Its command has a claim.
  case done
  /// Its command was rejected.
  case rejected(RejectionCode?)
  /// It is parked again.
  case failed
}

/// Where dead letters are kept.
package protocol DeadLetterStore: Sendable {
  /// One transaction for all of them. A letter that is there is parked again with what this failure says of it, where it is a later one, or one that a letter
  /// under way has not been told of yet; its message stays as it first came.
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

  /// Oldest first, of those that failed until `end`; what stands behind `position`, at most `limit`.
  func oldest(
    _ filter: DeadLetterFilter, tenant: TenantID, until end: Timestamp, after position: DeadLetterPosition?, limit: Int
  ) async throws(StoreError) -> [DeadLetter]

  /// Those of them that are parked are `replaying` from here on, and this caller's to publish; so are those that another claimed longer than `patience`
  /// ago and did not publish, and those that were published an hour ago and of which nothing was heard. One transaction, with their audit.
  func claim(_ claims: [ReplayClaim], patience: Duration) async throws(StoreError) -> Set<DeadLetterKey>
  /// Claimed ones are with the broker.
  func published(_ keys: [DeadLetterKey]) async throws(StoreError)
  /// Claimed ones are parked again as they were: the broker did not take them.
  func giveBack(_ keys: [DeadLetterKey], _ event: DeadLetterEvent) async throws(StoreError)
  func progress(_ keys: [DeadLetterKey]) async throws(StoreError) -> [DeadLetterKey: ReplayProgress]
  /// Those of them that are parked are done with; returns which. One transaction, with their audit.
  func discard(_ keys: [DeadLetterKey], _ event: DeadLetterEvent, audit: [AuditEntry]) async throws(StoreError) -> Set<DeadLetterKey>
  /// Tells of something that changes no letter.
  func audit(_ entries: [AuditEntry]) async throws(StoreError)

  /// Returns when it is worth trying again after `unavailable`, or when the task is cancelled.
  func untilAvailable() async
}

/// What is done for dead letters while nobody looks.
package protocol DeadLetterKeeping: Leadership {
  /// Letters under way again whose command has an outcome become `resolved`; so do those of the page of open ones behind `position`. Returns how many,
  /// and where the next page begins: nil at the end.
  func settle(after position: DeadLetterKey?, limit: Int) async throws(StoreError) -> (settled: Int, next: DeadLetterKey?)
  /// Parks letters that were claimed longer than `patience` ago and never published; returns how many.
  func takeBack(patience: Duration) async throws(StoreError) -> Int
  /// Removes at most `limit` letters that nobody needs any more; returns how many.
  func trim(_ retention: DeadLetterRetention, limit: Int) async throws(StoreError) -> Int
}

/// How long dead letters are kept that are settled, or that nobody can replay: malformed or unauthenticated, and of no verified sender.
package struct DeadLetterRetention: Sendable, Equatable {
  package var settled = Duration.seconds(30 * 86_400)
  package var unusable = Duration.seconds(7 * 86_400)
  /// Of those that nobody can replay so many at most, the newest.
  package var mostUnusable: Int

  package init(mostUnusable: Int) { self.mostUnusable = mostUnusable }
}
