/// How long to wait before the next try: doubling from `first` to `limit`, each wait drawn from its upper half so that many
/// clients that lost one server do not come back in step.
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
    return min(wait, limit) * Double.random(in: 0.5...1, using: &random)
  }

  public mutating func next() -> Duration {
    var random = SystemRandomNumberGenerator()
    return next(using: &random)
  }
}
