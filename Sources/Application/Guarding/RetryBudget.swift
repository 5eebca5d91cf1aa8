/// Keeps repeats from drowning what is ill already: a token for each, which comes back where the repeat was answered. So a healthy service is
/// repeated to freely, and one that fails gets at most a fifth on top of the first calls, or ten repeats a second. Pure: time is told to it.
package struct RetryBudget: Sendable {
  package typealias Instant = ContinuousClock.Instant

  package struct Limits: Sendable {
    /// What each first call, and each answered repeat, adds.
    package var part = 0.2
    package var floorPerSecond = 10.0
    package var capacity = 100.0
    package init() {}
  }

  private let limits: Limits
  private var tokens: Double
  private var filled: Instant?

  package init(limits: Limits = Limits()) {
    self.limits = limits
    tokens = limits.capacity
  }

  package mutating func noteFirstCall() { add(limits.part) }

  /// Takes a token; else says after how long there will be one.
  package mutating func takeForRepeat(at now: Instant) -> Duration? {
    if let filled, now > filled { add((now - filled) / .seconds(1) * limits.floorPerSecond) }
    filled = now
    guard tokens < 1 else {
      tokens -= 1
      return nil
    }
    return .seconds((1 - tokens) / limits.floorPerSecond)
  }

  /// A repeat was answered, or was not made after all.
  package mutating func giveBack(answered: Bool) { add(answered ? 1 + limits.part : 1) }

  private mutating func add(_ count: Double) { tokens = min(limits.capacity, tokens + count) }
}
