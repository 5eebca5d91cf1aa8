import Application
import Testing

@Suite struct RetryBudgetTests {
  private final class World {
    var budget: RetryBudget
    let now = ContinuousClock.now

    init(capacity: Double = 100) {
      var limits = RetryBudget.Limits()
      limits.capacity = capacity
      budget = RetryBudget(limits: limits)
    }

    func take(after duration: Duration = .zero) -> Duration? { budget.takeForRepeat(at: now + duration) }

    /// How many of a thousand repeats are let through at once.
    func repeats(after duration: Duration = .zero) -> Int { (0..<1_000).count { _ in take(after: duration) == nil } }
  }

  @Test func failingRepeatsAreAFifthOfTheFirstCalls() {
    let world = World()
    #expect(world.repeats() == 100)
    for _ in 0..<50 { world.budget.noteFirstCall() }
    #expect((9...10).contains(world.repeats()))
  }

  @Test func withoutFirstCallsTenASecondGoThrough() {
    let world = World()
    _ = world.repeats()
    #expect(world.repeats(after: .seconds(1)) == 10)
    #expect(world.repeats(after: .seconds(1)) == 0)
    #expect(world.repeats(after: .seconds(3)) == 20)
  }

  @Test func itSaysWhenThereIsAnother() throws {
    let world = World()
    _ = world.repeats()
    let wait = try #require(world.take())
    #expect(wait > .zero && wait <= .milliseconds(100))
    #expect(world.take(after: .milliseconds(101)) == nil)
  }

  @Test func answeredRepeatsCostNothing() {
    let world = World(capacity: 3)
    for _ in 0..<1_000 {
      #expect(world.take() == nil)
      world.budget.giveBack(answered: true)
    }
  }

  @Test func answersWidenASpentBudgetAgain() {
    let world = World()
    _ = world.repeats()
    for _ in 0..<20 {
      #expect(world.take(after: .seconds(1)) == nil)
      world.budget.giveBack(answered: true)
    }
    #expect((13...14).contains(world.repeats(after: .seconds(1))))
  }

  @Test func itHoldsNoMoreThanItsCapacity() {
    let world = World()
    for _ in 0..<10_000 { world.budget.noteFirstCall() }
    #expect(world.repeats(after: .seconds(3_600)) == 100)
  }
}
