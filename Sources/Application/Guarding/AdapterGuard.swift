import Synchronization

/// What an adapter's guard tells those who run the worker.
package protocol AdapterObserver: Sendable {
  /// `outcome` is a word of a small, fixed set, fit for a metric's label.
  func called(adapter: String, operation: String, outcome: String, took: Duration)
  func breakerChanged(adapter: String, to state: BreakerState, reason: String?)
}

/// The one place around every call to a service outside: its deadline, how many at a time, how many repeats, and whether at all.
package final class AdapterGuard: Sendable {
  package struct Limits: Sendable {
    package var deadline: Duration
    /// Calls at one time. Whoever asks for more at once than this is told to come back, so it should not.
    package var concurrency: Int
    package var breaker = Breaker.Limits()
    package var repeats = RetryBudget.Limits()

    package init(deadline: Duration, concurrency: Int = 64) {
      self.deadline = deadline
      self.concurrency = concurrency
    }
  }

  /// Why a call was not made, and when to come back.
  package struct Refusal: Error, Hashable, Sendable {
    package enum Reason: String, Sendable { case breakerOpen = "breaker_open", retryBudget = "retry_budget", concurrency }
    package let reason: Reason
    package let retryAfter: Duration
  }

  private struct State {
    var breaker: Breaker
    var budget: RetryBudget
    var underWay = 0
  }

  private let adapter: String
  private let limits: Limits
  private let now: @Sendable () -> ContinuousClock.Instant
  private let clock: any Clock<Duration>
  private let observer: any AdapterObserver
  private let state: Mutex<State>

  package init(
    adapter: String, limits: Limits, observer: any AdapterObserver, now: @escaping @Sendable () -> ContinuousClock.Instant = { .now },
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.adapter = adapter
    self.limits = limits
    self.observer = observer
    self.now = now
    self.clock = clock
    state = Mutex(State(breaker: Breaker(limits: limits.breaker), budget: RetryBudget(limits: limits.repeats)))
  }

  package var breaker: BreakerState { state.withLock { $0.breaker.state } }

  /// How long every call will be refused, so that nobody need begin one; nil where one may be let through.
  package var pause: Duration? {
    let now = now()
    return state.withLock { $0.breaker.wait(at: now) }
  }

  /// Makes the call, or says why not. `body` never throws and gives an answer of its own where its task is cancelled, as it is at the
  /// deadline: only it knows whether anything was sent by then. `judge` reads the answer: how it speaks of the service, its word for the
  /// metrics, and, where it is ill, a sentence.
  package func run<Answer: Sendable>(
    operation: String, isRepeat: Bool, judge: (Answer) -> (health: CallHealth, outcome: String, reason: String?),
    _ body: @escaping @Sendable () async -> Answer
  ) async throws(Refusal) -> Answer {
    let start = now()
    let permit: Breaker.Permit
    switch state.withLock({ Self.admit(&$0, limits, isRepeat: isRepeat, at: start) }) {
    case .success(let admitted):
      permit = admitted.permit
      if admitted.isProbe { observer.breakerChanged(adapter: adapter, to: .halfOpen, reason: nil) }
    case .failure(let refusal):
      observer.called(adapter: adapter, operation: operation, outcome: refusal.reason.rawValue, took: .zero)
      throw refusal
    }
    let answer = await withDeadline(limits.deadline, body)
    var (health, outcome, reason) = judge(answer)
    // Whoever asked went away: that is no fault of the service.
    if Task.isCancelled { health = .neither }
    let end = now()
    let (before, after) = state.withLock { state in
      let before = state.breaker.state
      state.underWay -= 1
      state.breaker.finish(permit, health, at: end)
      if isRepeat && health != .ill && health != .stillIll { state.budget.giveBack(answered: health == .well) }
      return (before, state.breaker.state)
    }
    observer.called(adapter: adapter, operation: operation, outcome: outcome, took: end - start)
    if after != before { observer.breakerChanged(adapter: adapter, to: after, reason: after == .open ? reason : nil) }
    return answer
  }

  private static func admit(
    _ state: inout State, _ limits: Limits, isRepeat: Bool, at now: ContinuousClock.Instant
  ) -> Result<(permit: Breaker.Permit, isProbe: Bool), Refusal> {
    if let wait = state.breaker.wait(at: now) { return .failure(Refusal(reason: .breakerOpen, retryAfter: wait)) }
    if state.underWay >= limits.concurrency { return .failure(Refusal(reason: .concurrency, retryAfter: .milliseconds(100))) }
    if isRepeat {
      if let wait = state.budget.takeForRepeat(at: now) { return .failure(Refusal(reason: .retryBudget, retryAfter: wait)) }
    } else {
      state.budget.noteFirstCall()
    }
    let before = state.breaker.state
    guard let permit = state.breaker.admit(at: now) else { return .failure(Refusal(reason: .breakerOpen, retryAfter: .seconds(1))) }
    state.underWay += 1
    return .success((permit, before == .open && state.breaker.state == .halfOpen))
  }

  /// Cancels `body` at the deadline, and gives whatever it then answers.
  private func withDeadline<Answer: Sendable>(_ deadline: Duration, _ body: @escaping @Sendable () async -> Answer) async -> Answer {
    await withTaskGroup(of: Answer?.self) { group in
      group.addTask { await body() }
      group.addTask { [clock] in
        try? await clock.sleep(for: deadline)
        return nil
      }
      var answer: Answer?
      while answer == nil, let finished = await group.next() {
        // The first to come is the answer, or the deadline; after either the other is of no more use.
        group.cancelAll()
        answer = finished
      }
      return answer!  // the first task always answers
    }
  }
}
