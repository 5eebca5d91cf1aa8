import Domain
import Synchronization
import TestSupport
import Testing

@testable import Application

@Suite struct PaymentExecutorTests {
  /// As many payments as are asked for, all different; none of them is old or unknown.
  private final class EndlessQueue: PaymentQueue {
    private let leased = Mutex<UInt64>(0)
    let ages = Mutex<[Duration?]>([])

    func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
      ages.withLock { $0.append(age) }
      guard age == nil else { return [] }
      let numbers = leased.withLock { leased in
        defer { leased += UInt64(limit) }
        return leased..<(leased + UInt64(limit))
      }
      return numbers.map { number in
        let id = OrderID(high: 0, low: number)
        return LeasedPayment(
          key: PaymentKey(order: OrderKey(tenant: .standard, order: id), number: 1), call: PaymentCall(key: "\(number)", target: "authorize", body: []),
          lease: id, isRepeat: false, trace: CommandReference(correlationID: "c"))
      }
    }
  }

  /// Under a pipeline that is busy with a batch of its own: nothing is decided.
  @Test(arguments: [
    (ScriptedProvider.Behaviour.succeed, 16), (.decline, 16), (.refuse, 4), (.loseAnswer, 4),
  ])
  func callsWaitForAnswersAndNotForWhatIsMadeOfThem(behaviour: ScriptedProvider.Behaviour, calls: Int) async {
    let provider = ScriptedProvider { _, _ in behaviour }
    let own = OwnCommands()
    let executor = PaymentExecutor(
      queue: EndlessQueue(), provider: provider, results: own, journal: SilentJournal(),
      settings: .init(deadline: .seconds(1), giveUp: .seconds(600), concurrency: 4))
    await withTaskGroup { group in
      group.addTask { await executor.run() }
      #expect(await eventually { provider.calls == calls })
      #expect(await !eventually(within: .milliseconds(50)) { provider.calls > calls }, "no more than can be held")
      #expect(provider.mostAtOnce <= 4)
      // One is decided, and makes room for another call.
      for entry in await own.next(max: 1) { entry.finish() }
      #expect(await eventually { provider.calls == calls + 1 })
      executor.stop()
      own.finish()
      while case let entries = await own.next(max: 100), !entries.isEmpty { for entry in entries { entry.finish() } }
    }
  }

  /// Refuses every call until it is told that it is well.
  private final class PausingProvider: PaymentProvider {
    let well = Mutex(false)
    let inner = ScriptedProvider()
    var pause: Duration? { well.withLock { $0 } ? nil : .milliseconds(5) }
    func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
      await inner.perform(call, isRepeat: isRepeat, trace: trace)
    }
    func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer { .notTold }
  }

  @Test func whileEveryCallWouldBeRefusedOnlyWhatIsOldIsLookedAt() async {
    let (queue, provider, own) = (EndlessQueue(), PausingProvider(), OwnCommands())
    let executor = PaymentExecutor(
      queue: queue, provider: provider, results: own, journal: SilentJournal(),
      settings: .init(deadline: .seconds(1), giveUp: .seconds(600), concurrency: 4))
    await withTaskGroup { group in
      group.addTask { await executor.run() }
      #expect(await eventually { queue.ages.withLock { $0.count } >= 3 })
      #expect(queue.ages.withLock { $0.allSatisfy { $0 == .seconds(600) } } && provider.inner.calls == 0)
      provider.well.withLock { $0 = true }
      #expect(await eventually { provider.inner.calls > 0 })
      executor.stop()
      own.finish()
      while case let entries = await own.next(max: 100), !entries.isEmpty { for entry in entries { entry.finish() } }
    }
  }

  /// One payment, once.
  private final class SinglePayment: PaymentQueue {
    private let payment: Mutex<LeasedPayment?>
    init(looksUp: Bool, isGivenUp: Bool) {
      let id = OrderID(high: 0, low: 1)
      payment = Mutex(
        LeasedPayment(
          key: PaymentKey(order: OrderKey(tenant: .standard, order: id), number: 1), call: PaymentCall(key: "1", target: "authorize", body: []), lease: id,
          isRepeat: true, looksUp: looksUp, isGivenUp: isGivenUp, trace: CommandReference(correlationID: "c")))
    }
    func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
      payment.withLock { payment in
        defer { payment = nil }
        return payment.map { [$0] } ?? []
      }
    }
  }

  /// Looks up as it is told to, and says which calls it got.
  private final class LookedUpProvider: PaymentProvider {
    let calls = Mutex<[String]>([])
    private let told: PaymentAnswer
    init(_ told: PaymentAnswer) { self.told = told }
    func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
      calls.withLock { $0.append("perform") }
      return .known(.succeeded(AuthorizationID("auth-1")!))
    }
    func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer {
      calls.withLock { $0.append("look up") }
      return told
    }
  }

  @Test(arguments: [
    (true, false, PaymentAnswer.notTold, ["look up", "perform"]), (true, false, .neverCame, ["look up"]), (false, false, .notTold, ["perform"]),
    (true, true, .notTold, ["look up"]), (true, true, .neverCame, ["look up"]),
  ])
  func whatWasGivenUpIsNeverCalledAgain(looksUp: Bool, isGivenUp: Bool, told: PaymentAnswer, calls: [String]) async {
    let (provider, own) = (LookedUpProvider(told), OwnCommands())
    let executor = PaymentExecutor(
      queue: SinglePayment(looksUp: looksUp, isGivenUp: isGivenUp), provider: provider, results: own, journal: SilentJournal(),
      settings: .init(deadline: .seconds(1), giveUp: .seconds(600)))
    await withTaskGroup { group in
      group.addTask { await executor.run() }
      for entry in await own.next(max: 1) { entry.finish() }
      executor.stop()
      own.finish()
    }
    #expect(provider.calls.withLock { $0 } == calls)
  }
}
