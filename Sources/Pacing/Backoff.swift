/// How long to wait before the next try: doubling from `first` to `limit`, each wait drawn from its upper half so that many that lost one server,
/// or met each other, do not come back in step.
public struct Backoff: Sendable {
  public let first: Duration
  public let limit: Duration
  public private(set) var failures = 0

  public init(first: Duration = .milliseconds(50), limit: Duration = .seconds(2)) {
    self.first = first
    self.limit = limit
  }

  public mutating func reset() { failures = 0 }

  /// The wait before another server is tried in the place of one that failed, which is no reason to wait longer.
  public func short() -> Duration { first * Double.random(in: 0.5...1) }

  public mutating func next(using random: inout some RandomNumberGenerator) -> Duration {
    var wait = first
    for _ in 0..<failures where wait < limit { wait = wait * 2 }
    failures += 1
    return Self.jittered(min(wait, limit), using: &random)
  }

  public mutating func next() -> Duration {
    var random = SystemRandomNumberGenerator()
    return next(using: &random)
  }

  /// A wait whose length is not doubled but given, drawn in the same way.
  public static func jittered(_ wait: Duration, using random: inout some RandomNumberGenerator) -> Duration {
    wait * Double.random(in: 0.5...1, using: &random)
  }

  public static func jittered(_ wait: Duration) -> Duration {
    var random = SystemRandomNumberGenerator()
    return jittered(wait, using: &random)
  }
}
