import Application
import Testing

@Suite struct BreakerTests {
  /// A breaker and a clock that is moved by hand.
  private final class World {
    var breaker: Breaker
    var now = ContinuousClock.now

    /// The longest pauses, where nothing is said of it.
    init(chance: Double = 1) {
      var limits = Breaker.Limits()
      limits.jitter = { chance }
      breaker = Breaker(limits: limits)
    }

    func admit() -> Breaker.Permit? { breaker.admit(at: now) }

    func pass(_ duration: Duration) { now += duration }

    /// One call from begin to end; false where it is not let through.
    @discardableResult
    func call(_ health: CallHealth) -> Bool {
      guard let permit = breaker.admit(at: now) else { return false }
      breaker.finish(permit, health, at: now)
      return true
    }

    func calls(_ pattern: String, apart: Duration = .milliseconds(1)) {
      for letter in pattern {
        call(["+": .well, "-": .ill, "=": .stillIll][letter] ?? .neither)
        pass(apart)
      }
    }
  }

  @Test(arguments: [
    ("----", BreakerState.closed), ("-----", .open), ("----+----", .closed), ("----o-", .open), ("ooooooo", .closed),
    ("=======", .closed), ("----=-", .open),
    ("-+-+-+-+-+-+-+-+-+-", .closed),  // 19: too few to judge by
    ("-+-+-+-+-+-+-+-+-+-+", .open), ("-++-++-++-++-++-++-++", .closed),
    ("++++++++++++++++++++-+-+-+-+-+-+-+-+-+", .closed), ("++++++++++++++++++++-+-+-+-+-+-+-+-+-+-", .open),
  ])
  func itOpensAtFiveFailuresInARowOrHalfOfTheLastTwenty(pattern: String, state: BreakerState) {
    let world = World()
    world.calls(pattern)
    #expect(world.breaker.state == state)
  }

  @Test func whatIsOlderThanTenSecondsIsForgotten() {
    let world = World()
    world.calls("-+-+-+-+-+-+-+-+-+-+", apart: .milliseconds(600))
    #expect(world.breaker.state == .closed)
  }

  @Test func openItLetsNothingThroughAndSaysHowLong() {
    let world = World()
    world.calls("-----", apart: .zero)
    #expect(world.breaker.wait(at: world.now) == .seconds(1))
    world.pass(.milliseconds(999))
    #expect(!world.call(.well))
    #expect(world.breaker.wait(at: world.now) == .milliseconds(1))
    world.pass(.milliseconds(1))
    #expect(world.breaker.wait(at: world.now) == nil)
  }

  @Test(arguments: [0, 0.5, 1]) func aPauseIsDrawnFromItsUpperHalf(chance: Double) {
    let world = World(chance: chance)
    world.calls("-----", apart: .zero)
    for seconds in [1.0, 2, 4, 8, 16, 30] {
      let wait = Duration.seconds(seconds * (0.5 + chance / 2))
      #expect(world.breaker.wait(at: world.now) == wait)
      world.pass(wait)
      world.call(.ill)
    }
  }

  @Test func oneProbeThatIsAnsweredClosesIt() {
    let world = World()
    world.calls("-----", apart: .zero)
    world.pass(.seconds(1))
    let permit = world.admit()
    #expect(world.breaker.state == .halfOpen)
    world.breaker.finish(permit!, .well, at: world.now)
    #expect(world.breaker.state == .closed)
    world.calls("----")
    #expect(world.breaker.state == .closed)
  }

  @Test func halfOpenItLetsThreeThroughAtOneTime() {
    let world = World()
    world.calls("-----", apart: .zero)
    world.pass(.seconds(1))
    let permits = (0..<5).map { _ in world.admit() }
    #expect(permits.map { $0 != nil } == [true, true, true, false, false])
    #expect(world.breaker.wait(at: world.now) != nil)
    // One that says nothing makes room for another.
    world.breaker.finish(permits[0]!, .neither, at: world.now)
    #expect(world.admit() != nil)
  }

  @Test func aProbeThatIsRefusedOnceMoreHasFailed() {
    let world = World()
    world.calls("-----", apart: .zero)
    world.pass(.seconds(1))
    world.call(.stillIll)
    #expect(world.breaker.state == .open && world.breaker.wait(at: world.now) == .seconds(2))
  }

  @Test func aFailedProbeOpensItAgainTwiceAsLongUpToThirtySeconds() {
    let world = World()
    world.calls("-----", apart: .zero)
    for seconds in [1, 2, 4, 8, 16, 30, 30] {
      #expect(world.breaker.wait(at: world.now) == .seconds(seconds))
      world.pass(.seconds(seconds))
      #expect(world.call(.ill))
      #expect(world.breaker.state == .open)
    }
    world.pass(.seconds(30))
    #expect(world.call(.well))
    world.calls("-----", apart: .zero)
    #expect(world.breaker.wait(at: world.now) == .seconds(1))
  }

  @Test func aFailedProbeWaitsForTheOthersUnderWay() {
    let world = World()
    world.calls("-----", apart: .zero)
    world.pass(.seconds(1))
    let (first, second) = (world.admit()!, world.admit()!)
    world.breaker.finish(first, .ill, at: world.now)
    #expect(world.breaker.state == .halfOpen)
    world.breaker.finish(second, .well, at: world.now)
    #expect(world.breaker.state == .closed)
  }

  @Test func whatWasBegunBeforeTheLastChangeDecidesNothing() {
    let world = World()
    let old = (0..<7).map { _ in world.admit()! }
    for permit in old.prefix(5) { world.breaker.finish(permit, .ill, at: world.now) }
    #expect(world.breaker.state == .open)
    world.breaker.finish(old[5], .well, at: world.now)
    #expect(world.breaker.state == .open)
    world.pass(.seconds(1))
    let probe = world.admit()!
    world.breaker.finish(old[6], .ill, at: world.now)
    #expect(world.breaker.state == .halfOpen)
    world.breaker.finish(probe, .well, at: world.now)
    #expect(world.breaker.state == .closed)
  }
}
