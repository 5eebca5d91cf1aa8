import Glibc

/// How far a server's clock is from this machine's.
public struct ClockReading: Sendable, Equatable {
  /// Above zero where the server's is ahead.
  public let skew: Duration
  /// By how much that may be wrong: nobody knows when, within the round trip, the server looked at its clock.
  public let doubt: Duration

  public init(skew: Duration, doubt: Duration) {
    self.skew = skew
    self.doubt = doubt
  }

  /// - Parameters:
  ///   - server: What the server told, since 1970.
  ///   - before: This machine's wall clock when it was asked, and `after` when its answer was there.
  ///   - resolution: The unit that the server tells its time in, rounded down.
  public init(server: Duration, before: Duration, after: Duration, resolution: Duration = .zero) {
    skew = server + resolution / 2 - (before + after) / 2
    doubt = (after - before) / 2 + resolution / 2
  }

  /// The least that the two clocks are apart, whatever the round trip did.
  public var certain: Duration { max(.zero, size - doubt) }

  /// The most that they can be apart.
  public var most: Duration { size + doubt }

  private var size: Duration { skew < .zero ? .zero - skew : skew }

  /// This machine's wall clock, since 1970.
  public static var wallClock: Duration {
    var time = timespec()
    clock_gettime(CLOCK_REALTIME, &time)
    return .seconds(Int64(time.tv_sec)) + .nanoseconds(Int64(time.tv_nsec))
  }
}
