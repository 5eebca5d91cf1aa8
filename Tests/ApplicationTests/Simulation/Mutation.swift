/// A mistake that the simulation must find. It is made by the ports, so that the worker itself stays as it is.
enum Mutation: String, Sendable, CaseIterable {
  /// Deliveries are acknowledged when they are taken.
  case acknowledgesBeforeCommit
  /// Events and stored replies are only in the memory of the worker that made them.
  case hasNoOutbox
  /// Nobody remembers which commands were done.
  case forgetsClaims
  /// No event waits for an older one of another worker.
  case overtakesOlderEvents
  /// The provider is called before the row is committed.
  case callsBeforeCommit
  /// Payments are taken without a word in the database.
  case callsWithoutLease
  /// Every try has an idempotency key of its own.
  case changesKeys
  /// What the retry ladder or the dead letters refused is taken for safe.
  case trustsForwarding
  /// Whoever replays a letter does not mind who else does.
  case replaysWithoutClaim
  /// Batches read what others are just changing.
  case hasNoLocks
}
