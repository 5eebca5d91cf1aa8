import Domain

/// How payments are gone about: whether there is a provider, and how long it is waited for.
package struct PaymentTerms: Sendable {
  package let encoder: any PaymentCallEncoder
  /// Whether anybody is there to be asked. Where not, what needs a payment is refused at once.
  package let hasProvider: Bool
  /// After this long of not knowing, counted from the first call, the order tells so.
  package let timeout: Duration
  /// An operation that had no effect is tried for this long.
  package let giveUp: Duration

  package init(encoder: any PaymentCallEncoder, hasProvider: Bool, timeout: Duration = .seconds(10), giveUp: Duration = .seconds(600)) {
    self.encoder = encoder
    self.hasProvider = hasProvider
    self.timeout = timeout
    self.giveUp = giveUp
  }

  /// How long an operation that was given up waits until its key is looked up again: as long as it is old, so that ever fewer looks go on for days
  /// (six, over ten hours, with the standard `giveUp`). Nil after the last.
  func pause(beforeWatching record: PaymentRecord, now: Timestamp) -> Duration? {
    let age = max(record.openedAt.duration(to: now), .seconds(1))
    return age < giveUp * 64 ? age : nil
  }

  /// How long an operation waits for its next try: longer with each, no longer than the provider asks for within reason, and not past the moment
  /// at which something is to be said of it. Up to 5 s; where it is unknown up to a hundredth of its age, to 5 minutes: a capture that once was unknown
  /// is never given up, and a provider that never answers it is not to be asked every few seconds for days.
  func pause(before record: PaymentRecord, isUnknown: Bool, isTold: Bool, retryAfter: Duration?, now: Timestamp) -> Duration {
    let longest = isUnknown ? max(.seconds(5), min(record.openedAt.duration(to: now) / 100, .seconds(300))) : .seconds(5)
    let backoff = Duration.milliseconds(100) * (1 << min(max(record.attempts - 1, 0), 12))
    var pause = max(min(backoff, longest), min(retryAfter ?? .zero, .seconds(30)))
    if isUnknown, !isTold, let first = record.firstCalledAt { pause = min(pause, max(now.duration(to: first + timeout), .milliseconds(10))) }
    if !isUnknown, record.mayBeGivenUp { pause = min(pause, max(now.duration(to: record.openedAt + giveUp), .milliseconds(10))) }
    return pause
  }
}
