import TestSupport

/// One thread's worth of a simulation: runs what is ready in an order that follows from the seed, and has a time of its own that passes only
/// where nothing is ready.
final class SeededExecutor: TaskExecutor, @unchecked Sendable {  // everything is touched by the one thread that is in `run`
  private struct Timer {
    let at: Duration
    let number: Int
    let action: (_ isCancelled: Bool) -> Void
  }

  private(set) var now = Duration.zero
  private(set) var steps = 0
  /// A hash of every choice that was made: the same for two runs that went the same way.
  private(set) var trace: UInt64 = 0xCBF2_9CE4_8422_2325
  var random: SeededGenerator
  private let slack: Int
  private var ready: [UnownedJob] = []
  /// The next one last.
  private var timers: [Timer] = []
  private var timerCount = 0

  /// `slack`: by how many milliseconds timers may be late.
  init(seed: UInt64, slack: Int) {
    random = SeededGenerator(seed: seed)
    self.slack = slack
  }

  func enqueue(_ job: consuming ExecutorJob) { ready.append(UnownedJob(job)) }

  func note(_ value: UInt64) { trace = (trace ^ value) &* 0x100_0000_01B3 }

  /// Runs until `isDone`. False where nothing can go on, or where it takes more than `limit` jobs.
  func run(limit: Int, until isDone: () -> Bool, beforeJob: (Int) -> Void, whenIdle: () -> Void) -> Bool {
    while !isDone() {
      if ready.isEmpty { whenIdle() }
      if ready.isEmpty {
        guard advance() else { return isDone() }
        continue
      }
      guard steps < limit else { return false }
      steps += 1
      beforeJob(steps)
      let choice = Int.random(in: ready.indices, using: &random)
      note(UInt64(choice) << 32 | UInt64(ready.count))
      ready.swapAt(choice, ready.count - 1)
      ready.removeLast().runSynchronously(on: asUnownedTaskExecutor())
    }
    return true
  }

  /// Does `action` at a time, or at once with true where it is cancelled. Returns a number to cancel it by.
  @discardableResult
  func at(_ time: Duration, _ action: @escaping (_ isCancelled: Bool) -> Void) -> Int {
    timerCount += 1
    let place = timers.lastIndex { $0.at > time }.map { $0 + 1 } ?? 0
    timers.insert(Timer(at: time, number: timerCount, action: action), at: place)
    return timerCount
  }

  func sleep(until time: Duration) async throws {
    let timer = TimerNumber()
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        if Task.isCancelled { return continuation.resume(throwing: CancellationError()) }
        timer.number = at(time) { isCancelled in
          if isCancelled { continuation.resume(throwing: CancellationError()) } else { continuation.resume() }
        }
      }
    } onCancel: {
      cancel(timer.number)
    }
  }

  private func cancel(_ number: Int) {
    guard let place = timers.firstIndex(where: { $0.number == number }) else { return }
    timers.remove(at: place).action(true)
  }

  private func advance() -> Bool {
    guard let next = timers.last else { return false }
    let late = slack > 0 && Bool.random(using: &random) ? Int.random(in: 0...slack, using: &random) : 0
    now = max(now, next.at + .milliseconds(late))
    note(UInt64(now / .microseconds(1)))
    while let timer = timers.last, timer.at <= now {
      timers.removeLast()
      timer.action(false)
    }
    return true
  }

  private final class TimerNumber: @unchecked Sendable {  // touched by the one thread that is in `run`
    var number = 0
  }
}

/// The simulation's time, as the clock of everything in it.
struct SimulatedClock: Clock {
  struct Instant: InstantProtocol {
    let offset: Duration
    func advanced(by duration: Duration) -> Instant { Instant(offset: offset + duration) }
    func duration(to other: Instant) -> Duration { other.offset - offset }
    static func < (a: Instant, b: Instant) -> Bool { a.offset < b.offset }
  }

  let executor: SeededExecutor
  var now: Instant { Instant(offset: executor.now) }
  var minimumResolution: Duration { .nanoseconds(1) }
  func sleep(until deadline: Instant, tolerance: Duration?) async throws { try await executor.sleep(until: deadline.offset) }
}
