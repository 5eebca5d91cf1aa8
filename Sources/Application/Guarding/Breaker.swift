import Pacing

/// Whether calls go through to what lies behind an adapter.
package enum BreakerState: String, Sendable, CaseIterable {
  case closed, open
  case halfOpen = "half_open"
}

/// How a call speaks of what lies behind an adapter.
package enum CallHealth: Sendable {
  /// It answered as it should, whatever the answer.
  case well
  /// It did not answer, or asks to be left alone.
  case ill
  /// It refuses a call that it may have refused before: where others are served, that is about this call. A probe that ends so has failed.
  case stillIll
  /// It says nothing of the whole: this one call was refused, or was given up here.
  case neither
}

/// Stops calls where most of them fail, so that a service that is down is left alone; then lets a few through to see. Pure: time is told to it.
///
///     closed ── failures in a row, or most of the last ones ──▶ open ── its time is over ──▶ half open
///       ▲                                                         ▲                              │
///       │                                                         └── a probe failed, longer ────┤
///       └───────────────────────────────────── a probe was answered ─────────────────────────────┘
package struct Breaker: Sendable {
  package typealias Instant = ContinuousClock.Instant

  package struct Limits: Sendable {
    package var failuresInARow = 5
    /// So many last calls, none older than `memory`, are looked at, and so large a part of them must have failed.
    package var sample = 20
    package var failedPart = 0.5
    package var memory = Duration.seconds(10)
    package var firstPause = Duration.seconds(1)
    package var longestPause = Duration.seconds(30)
    /// So that many workers do not try a service that recovers all at once.
    package var jitter: @Sendable () -> Double = { .random(in: 0...1) }
    package var probes = 3
    package init() {}
  }

  /// A permission for one call; given back with the call's health.
  package struct Permit: Sendable {
    fileprivate let epoch: Int
  }

  private let limits: Limits
  package private(set) var state = BreakerState.closed
  /// Counts the changes of state: what was begun before the last one decides nothing any more.
  private var epoch = 0
  private var failures = 0
  private var recent: [(at: Instant, failed: Bool)] = []
  private var backoff: Backoff
  private var reopens: Instant?
  private var probing = 0

  package init(limits: Limits = Limits()) {
    self.limits = limits
    backoff = Backoff(first: limits.firstPause, limit: limits.longestPause)
  }

  /// How long no call will be let through; nil where one would be now.
  package func wait(at now: Instant) -> Duration? {
    switch state {
    case .closed: nil
    case .open: reopens.flatMap { $0 > now ? $0 - now : nil }
    case .halfOpen: probing < limits.probes ? nil : limits.firstPause / 4
    }
  }

  /// Nil where the call must not be made.
  package mutating func admit(at now: Instant) -> Permit? {
    guard wait(at: now) == nil else { return nil }
    if state == .open { change(to: .halfOpen) }
    if state == .halfOpen { probing += 1 }
    return Permit(epoch: epoch)
  }

  package mutating func finish(_ permit: Permit, _ health: CallHealth, at now: Instant) {
    guard permit.epoch == epoch else { return }
    switch (state, health) {
    case (.open, _): break
    case (.halfOpen, .neither): probing -= 1
    case (.halfOpen, .well):
      backoff.reset()
      change(to: .closed)
    case (.halfOpen, .ill), (.halfOpen, .stillIll):
      // Where another probe is still under way it may yet close it.
      probing -= 1
      failures += 1
      guard failures >= limits.probes || probing == 0 else { return }
      open(at: now)
    case (.closed, .neither), (.closed, .stillIll): break
    case (.closed, let health):
      note(failed: health == .ill, at: now)
      if failures >= limits.failuresInARow || isMostlyFailing { open(at: now) }
    }
  }

  private var isMostlyFailing: Bool {
    recent.count >= limits.sample && Double(recent.count { $0.failed }) >= Double(recent.count) * limits.failedPart
  }

  private mutating func note(failed: Bool, at now: Instant) {
    failures = failed ? failures + 1 : 0
    let oldest = now - limits.memory
    recent.removeAll { $0.at < oldest }
    recent.append((now, failed))
    if recent.count > limits.sample { recent.removeFirst() }
  }

  private mutating func open(at now: Instant) {
    change(to: .open)
    reopens = now + backoff.next(chance: limits.jitter())
  }

  private mutating func change(to next: BreakerState) {
    state = next
    epoch += 1
    failures = 0
    probing = 0
    recent = []
    reopens = nil
  }
}
