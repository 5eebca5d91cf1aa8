import Application
import Domain
import Synchronization
import TestSupport
import Testing

@Suite struct GuardedPaymentProviderTests {
  private static let call = PaymentCall(key: "default/1/1", target: "/authorizations", body: [])
  private static let success = PaymentAnswer.known(.succeeded(AuthorizationID("auth-1")!))

  /// Answers as it is told to, and counts.
  private final class ScriptedProvider: PaymentProvider {
    private let script: @Sendable (_ call: Int) async -> PaymentAnswer
    private let count = Mutex(0)
    var calls: Int { count.withLock { $0 } }

    init(_ script: @escaping @Sendable (_ call: Int) async -> PaymentAnswer) { self.script = script }

    func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
      let number = count.withLock { count in
        count += 1
        return count
      }
      return await script(number)
    }

    func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer { await perform(call, isRepeat: true, trace: trace) }
  }

  private final class Observations: AdapterObserver {
    let outcomes = Mutex([String]())
    let states = Mutex([BreakerState]())

    func called(adapter: String, operation: String, outcome: String, took: Duration) {
      outcomes.withLock { $0.append("\(adapter) \(operation) \(outcome)") }
    }
    func breakerChanged(adapter: String, to state: BreakerState, reason: String?) { states.withLock { $0.append(state) } }
  }

  private struct World {
    let provider: ScriptedProvider
    let observations = Observations()
    let guarded: GuardedPaymentProvider
    let clock = Clock()

    /// Moved by hand.
    final class Clock: Sendable {
      private let instant = Mutex(ContinuousClock.now)
      var now: ContinuousClock.Instant { instant.withLock { $0 } }
      func pass(_ duration: Duration) { instant.withLock { $0 += duration } }
    }

    init(concurrency: Int = 64, deadline: Duration = .seconds(20), _ script: @escaping @Sendable (_ call: Int) async -> PaymentAnswer) {
      provider = ScriptedProvider(script)
      var limits = AdapterGuard.Limits(deadline: deadline, concurrency: concurrency)
      limits.breaker.jitter = { 1 }
      guarded = GuardedPaymentProvider(
        provider,
        guard: AdapterGuard(
          adapter: "payment", limits: limits, observer: observations, now: { [clock] in clock.now }),
        operation: { _ in "authorize" })
    }

    @discardableResult
    func perform(isRepeat: Bool = false) async -> PaymentAnswer {
      await guarded.perform(call, isRepeat: isRepeat, trace: CommandReference(correlationID: "c", traceparent: nil))
    }
  }

  @Test(arguments: [
    (PaymentAnswer.known(.succeeded(AuthorizationID("a")!)), "succeeded", BreakerState.closed), (.known(.declined(code: nil)), "declined", .closed),
    (.known(.conflict), "conflict", .closed), (.noEffect(reason: "the provider answers 400", retryAfter: nil), "refused", .closed),
    (.noEffect(reason: "refused", retryAfter: .seconds(1)), "no_effect", .open), (.unknown(reason: "cut"), "unknown", .open),
  ])
  func onlyWhatSpeaksAgainstTheProviderOpensTheBreaker(answer: PaymentAnswer, outcome: String, state: BreakerState) async {
    let world = World { _ in answer }
    for _ in 0..<5 { #expect(await world.perform() == answer) }
    #expect(world.guarded.breaker == state)
    #expect(world.observations.outcomes.withLock { $0 } == Array(repeating: "payment authorize \(outcome)", count: 5))
  }

  /// One customer's method that the provider refuses again and again must not keep the others from paying.
  @Test func aCallThatIsRefusedAgainSaysNothingOfTheProvider() async {
    let world = World { _ in .noEffect(reason: "503", retryAfter: .seconds(1)) }
    await world.perform()
    for _ in 0..<50 { await world.perform(isRepeat: true) }
    #expect(world.guarded.breaker == .closed)
    for _ in 0..<4 { await world.perform() }
    #expect(world.guarded.breaker == .open)
  }

  @Test func behindAnOpenBreakerNothingIsSentAndNothingHadAnEffect() async {
    let world = World { _ in .unknown(reason: "cut") }
    for _ in 0..<5 { await world.perform() }
    #expect(await world.perform() == .noEffect(reason: "not sent: breaker_open", retryAfter: .seconds(1)))
    #expect(world.provider.calls == 5)
    #expect(world.guarded.pause == .seconds(1))
    #expect(world.observations.outcomes.withLock { $0.last } == "payment authorize breaker_open")
  }

  @Test func theBreakerOpensProbesAndClosesAndTellsEachStep() async {
    let world = World { call in call <= 6 ? .unknown(reason: "cut") : Self.success }
    for _ in 0..<5 { await world.perform() }
    world.clock.pass(.seconds(1))
    await world.perform()
    world.clock.pass(.seconds(2))
    #expect(await world.perform() == Self.success)
    #expect(world.observations.states.withLock { $0 } == [.open, .halfOpen, .open, .halfOpen, .closed])
    #expect(world.guarded.pause == nil)
  }

  @Test func failingRepeatsRunOutAndFirstCallsDoNot() async {
    // A third fails: too few for the breaker, more than the answered ones earn.
    let world = World { call in call % 3 == 0 ? .unknown(reason: "cut") : Self.success }
    var refused = 0
    for _ in 0..<1_000 {
      if case .noEffect(reason: "not sent: retry_budget", retryAfter: .some(let wait)) = await world.perform(isRepeat: true) {
        refused += 1
        #expect(wait > .zero && wait <= .milliseconds(100))
      }
    }
    #expect(refused > 0)
    #expect(await world.perform() != .noEffect(reason: "not sent: retry_budget", retryAfter: .milliseconds(100)))
    #expect(world.guarded.breaker == .closed)
  }

  @Test func noMoreThanTheBoundAreUnderWayAtOneTime() async {
    let isOpen = Mutex(false)
    let world = World(concurrency: 3) { _ in
      _ = await eventually { isOpen.withLock { $0 } }
      return Self.success
    }
    let answers = await withTaskGroup(of: PaymentAnswer.self) { group in
      for _ in 0..<3 { group.addTask { await world.perform() } }
      #expect(await eventually { world.provider.calls == 3 })
      #expect(await world.perform() == .noEffect(reason: "not sent: concurrency", retryAfter: .milliseconds(100)))
      isOpen.withLock { $0 = true }
      return await group.reduce(into: []) { $0.append($1) }
    }
    #expect(answers == Array(repeating: Self.success, count: 3))
    #expect(await world.perform() == Self.success)
  }

  @Test func atTheDeadlineTheCallIsCancelledAndItsOwnAnswerCounts() async {
    let world = World(deadline: .milliseconds(50)) { _ in
      try? await Task.sleep(for: .seconds(60))
      return Task.isCancelled ? .unknown(reason: "given up") : Self.success
    }
    let begin = ContinuousClock.now
    #expect(await world.perform() == .unknown(reason: "given up"))
    #expect(.now - begin < .seconds(20))
  }

  @Test func whoGoesAwayDoesNotSpeakAgainstTheProvider() async {
    let world = World { _ in
      try? await Task.sleep(for: .seconds(60))
      return .unknown(reason: "given up")
    }
    for _ in 0..<6 {
      let call = Task { await world.perform() }
      call.cancel()
      #expect(await call.value == .unknown(reason: "given up"))
    }
    #expect(world.guarded.breaker == .closed)
  }
}
