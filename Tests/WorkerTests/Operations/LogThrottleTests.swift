import Logging
import Testing

@testable import Operations

@Suite struct LogThrottleTests {
  private static func throttle(lines: Int = 3, sentences: Int = 256) -> LogThrottle {
    var limits = LogThrottle.Limits()
    (limits.lines, limits.sentences) = (lines, sentences)
    return LogThrottle(limits: limits)
  }

  @Test func ofManyLinesSomeAreWrittenAndTheOthersCountedOnce() {
    let (throttle, now) = (Self.throttle(), ContinuousClock.now)
    let written = (0..<1_000).count { _ in throttle.admits("a fault", .warning, at: now) }
    #expect(written == 3 && throttle.leftOut(at: now) == [])
    #expect(throttle.leftOut(at: now + .seconds(10)) == [.init(message: "a fault", reason: nil, level: .warning, count: 997)])
    #expect(throttle.leftOut(at: now + .seconds(10)) == [] && throttle.admits("a fault", .warning, at: now + .seconds(10)))
  }

  @Test func aFaultThatGoesOnIsWrittenAgainInTheNextWhile() {
    let (throttle, now) = (Self.throttle(), ContinuousClock.now)
    var (written, told) = (0, 0)
    for second in 0..<100 {
      let now = now + .seconds(second)
      told += throttle.leftOut(at: now).map(\.count).reduce(0, +)
      written += (0..<10).count { _ in throttle.admits("a fault", .error, at: now) }
    }
    told += throttle.leftOut(all: true, at: now).map(\.count).reduce(0, +)
    #expect(written == 30 && written + told == 1_000)
  }

  @Test func otherSentencesAreWritten() {
    let (throttle, now) = (Self.throttle(), ContinuousClock.now)
    for _ in 0..<9 { _ = throttle.admits("a fault", .warning, at: now) }
    #expect(throttle.admits("another", .warning, at: now) && !throttle.admits("a fault", .warning, at: now))
  }

  /// Ten thousand dead letters of one sender must not hide that another's expire.
  @Test func anotherReasonIsAnotherSentence() {
    let (throttle, now) = (Self.throttle(), ContinuousClock.now)
    for _ in 0..<9 { _ = throttle.admits("dead", reason: "invalid", .warning, at: now) }
    #expect(throttle.admits("dead", reason: "expired", .warning, at: now) && !throttle.admits("dead", reason: "invalid", .warning, at: now))
    for _ in 0..<9 { _ = throttle.admits("dead", reason: "expired", .warning, at: now) }
    let told = throttle.leftOut(at: now + .seconds(10))
    #expect(told.map(\.reason) == ["expired", "invalid"] && told.map(\.count) == [7, 7])
  }

  @Test(arguments: [Logger.Level.trace, .debug, .critical]) func whatWasAskedForAndWhatEndsTheProcessIsWrittenAlways(level: Logger.Level) {
    let throttle = Self.throttle()
    #expect((0..<100).allSatisfy { _ in throttle.admits("a line", level) } && throttle.leftOut(all: true) == [])
  }

  /// Sentences of other libraries may vary without end.
  @Test func moreSentencesThanAreWatchedAreWritten() {
    let throttle = Self.throttle(sentences: 2)
    #expect((0..<100).allSatisfy { throttle.admits("sentence \($0)", .info) } && throttle.leftOut(all: true) == [])
  }

  @Test func theLevelGoesStepByStepAndBack() {
    let levels = LogLevelSwitch(.info)
    var seen: [Logger.Level] = []
    for _ in 0..<3 {
      levels.more()
      seen.append(levels.level)
    }
    #expect(seen == [.debug, .trace, .info])
    levels.more()
    levels.reset()
    #expect(levels.level == .info)
  }
}
