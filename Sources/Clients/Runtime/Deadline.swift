/// A point in time after which a wait is given up. Monotonic: it does not move with the wall clock.
public struct Deadline: Sendable, Hashable, Comparable {
  public let instant: ContinuousClock.Instant

  public init(_ instant: ContinuousClock.Instant) { self.instant = instant }

  public static func after(_ duration: Duration) -> Deadline { Deadline(.now + duration) }

  public var hasPassed: Bool { ContinuousClock.now >= instant }

  /// What is left, never below zero.
  public var remaining: Duration { max(.zero, instant - .now) }

  /// What is left in whole milliseconds, rounded up, as `poll(2)` takes it.
  public var pollTimeout: Int32 {
    let (seconds, attoseconds) = remaining.components
    if seconds > 86_400 { return 86_400_000 }
    return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  public static func < (a: Deadline, b: Deadline) -> Bool { a.instant < b.instant }
}
