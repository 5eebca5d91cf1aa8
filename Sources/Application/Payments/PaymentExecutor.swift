import Domain
import Pacing
import Synchronization

/// Asks the provider for what stands open, outside any transaction, and hands what it says to the pipeline.
package final class PaymentExecutor: Sendable {
  package struct Settings: Sendable {
    /// Calls under way at once.
    package var concurrency: Int
    /// How long a call may take.
    package var deadline: Duration
    /// How long to wait before looking again where nobody says that there is something new.
    package var poll = Duration.milliseconds(500)
    package var jitter: @Sendable () -> Double = { .random(in: 0...1) }
    /// An operation that is open for longer is looked at also while the provider refuses every call.
    package var giveUp: Duration

    package init(deadline: Duration, giveUp: Duration, concurrency: Int = 64) {
      self.giveUp = giveUp
      self.deadline = deadline
      self.concurrency = concurrency
    }

    /// A result has this long to be committed after the call's deadline.
    var lease: Duration { deadline + .seconds(5) }

    /// Leased and not decided yet. Several times the calls, as results wait for the batch before theirs.
    var undecided: Int { concurrency * 4 }
  }

  private let queue: any PaymentQueue
  private let provider: any PaymentProvider
  private let results: OwnCommands
  private let journal: any PipelineJournal
  private let settings: Settings
  private let clock: any Clock<Duration>
  /// Time since this was made.
  private let elapsed: @Sendable () -> Duration
  private let wakeup = Signal()
  private let stopping = Mutex(false)
  private let inHand = Mutex((calls: 0, undecided: 0))

  package init(
    queue: any PaymentQueue, provider: any PaymentProvider, results: OwnCommands, journal: any PipelineJournal, settings: Settings,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.queue = queue
    self.provider = provider
    self.results = results
    self.journal = journal
    self.settings = settings
    self.clock = clock
    elapsed = clock.stopwatch()
  }

  /// Something was committed that wants a call.
  package func wake() { wakeup.set() }

  /// Begins no more calls; `run` returns when those under way have ended and their results are committed.
  package func stop() {
    stopping.withLock { $0 = true }
    wakeup.set()
  }

  package func run() async {
    var backoff = Backoff(first: .milliseconds(100))
    await withDiscardingTaskGroup { group in
      while !stopping.withLock({ $0 }) {
        let free = inHand.withLock { min(settings.concurrency - $0.calls, settings.undecided - $0.undecided) }
        if free == 0 {
          await wakeup.wait(atMost: settings.poll, clock: clock)
          continue
        }
        do {
          let until = elapsed() + settings.lease
          let refusing = provider.pause
          let leased = try await queue.lease(limit: free, for: settings.lease, openFor: refusing.map { _ in settings.giveUp })
          backoff.reset()
          inHand.withLock { $0 = ($0.calls + leased.count, $0.undecided + leased.count) }
          for payment in leased { group.addTask { await self.perform(payment, until: until) } }
          if let refusing {
            // What is new meanwhile has to wait as well.
            try? await clock.sleep(for: min(refusing, settings.poll))
          } else if leased.isEmpty {
            await wakeup.wait(atMost: settings.poll, clock: clock)
          }
        } catch {
          // A store that is away shows in its own dependency.
          await wakeup.wait(atMost: backoff.next(chance: settings.jitter()), clock: clock)
        }
      }
    }
  }

  private func perform(_ payment: LeasedPayment, until end: Duration) async {
    var holdsCall = true
    defer {
      inHand.withLock { $0 = ($0.calls - (holdsCall ? 1 : 0), $0.undecided - 1) }
      wakeup.set()
    }
    // Whoever leases it after this moment would call beside us: looked at directly before each call.
    var isOurs: Bool { elapsed() + settings.deadline < end }
    var answer = PaymentAnswer.notTold
    if payment.looksUp {
      guard isOurs else { return }
      answer = await provider.lookUp(payment.call, trace: payment.trace)
    }
    if answer == .notTold, !payment.isGivenUp {
      guard isOurs else { return }
      answer = await provider.perform(payment.call, isRepeat: payment.isRepeat, trace: payment.trace)
    }
    switch answer {
    case .known:
      // The next call need not wait for this one's result. Where nothing came of it, it does: there is no hurry to ask a provider that is ill, and
      // what is put off costs a transaction, too.
      inHand.withLock { $0.calls -= 1 }
      holdsCall = false
      wakeup.set()
    case .neverCame, .notTold: break
    case .noEffect(let reason, _): journal.note(.paymentCallFailed(payment.trace, key: payment.call.key, isUnknown: false, error: reason))
    case .unknown(let reason): journal.note(.paymentCallFailed(payment.trace, key: payment.call.key, isUnknown: true, error: reason))
    }
    await results.decide(.paymentAnswered(PaymentReport(key: payment.key, lease: payment.lease, answer: answer, trace: payment.trace)))
  }
}

extension Clock where Duration == Swift.Duration {
  /// Tells the time that has passed since now.
  fileprivate func stopwatch() -> @Sendable () -> Duration {
    let start = now
    return { start.duration(to: now) }
  }
}
