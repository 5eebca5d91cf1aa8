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
  public func short() -> Duration { Self.jittered(first) }

  /// `chance`, from 0 to 1, is where in the wait's upper half it ends.
  public mutating func next(chance: Double = .random(in: 0...1)) -> Duration {
    var wait = first
    for _ in 0..<failures where wait < limit { wait = wait * 2 }
    failures += 1
    return Self.jittered(min(wait, limit), chance: chance)
  }

  /// A wait whose length is not doubled but given, drawn in the same way.
  public static func jittered(_ wait: Duration, chance: Double = .random(in: 0...1)) -> Duration { wait * (0.5 + chance / 2) }
}
