import Application
import Synchronization

/// Where keys come from. Throws where they cannot be had just now, or are no keys.
package protocol KeySource: Sendable {
  func fetch() async throws(KeySourceFault) -> KeySet
  /// To be called once, when nobody fetches any more.
  func close() async
}

/// The keys of senders' tokens: fetched at the start, looked at again by and by, and sooner where a token names a key that is not among them. While the
/// source is away those that were fetched last stay good, for a while.
package final class SenderKeys: Sendable {
  package struct Settings: Sendable {
    /// How old keys may get before they are fetched again, which is how long a withdrawn key stays good.
    package var refresh: Duration
    /// How old they may get where they cannot be fetched.
    package var staleLimit: Duration
    /// The least time between two looks, however many tokens name keys that are not there.
    package var leastPause: Duration

    package init(refresh: Duration = .seconds(60), staleLimit: Duration = .seconds(3_600), leastPause: Duration = .seconds(2)) {
      self.refresh = refresh
      self.staleLimit = staleLimit
      self.leastPause = leastPause
    }
  }

  package enum State: Sendable, Equatable {
    case good
    /// The source is away, and the keys that were fetched last still serve.
    case stale(String)
    case unavailable(String)
  }

  private struct Held {
    var keys: KeySet?
    var fetchedAt: ContinuousClock.Instant?
    var fault: String?
    var waiting: [Int: CheckedContinuation<Void, Never>] = [:]
    var lastWaiter = 0
    var ended: Set<Int> = []
  }

  private let source: any KeySource
  private let settings: Settings
  private let onState: @Sendable (State) -> Void
  private let held = Mutex(Held())

  package init(source: any KeySource, settings: Settings, onState: @escaping @Sendable (State) -> Void = { _ in }) {
    self.source = source
    self.settings = settings
    self.onState = onState
  }

  /// Throws why there are none, or none that are young enough.
  func current() throws(KeySourceFault) -> KeySet {
    let (keys, fetchedAt, fault) = held.withLock { ($0.keys, $0.fetchedAt, $0.fault) }
    guard let keys, let fetchedAt, ContinuousClock.now - fetchedAt <= settings.staleLimit else {
      throw KeySourceFault(fault ?? "the keys of senders' tokens have not been fetched yet")
    }
    return keys
  }

  /// Looks again and again until the task is cancelled, the first time when the keys of a `look` before it have had their time.
  package func run() async {
    var looked = ContinuousClock.now
    while !Task.isCancelled {
      let isWaitedFor = held.withLock { !$0.waiting.isEmpty }
      if looked.duration(to: .now) < (isWaitedFor || !isGood ? settings.leastPause : settings.refresh) {
        try? await Task.sleep(for: .milliseconds(100))
        continue
      }
      let waiting = takeWaiting()
      await look()
      looked = .now
      for waiter in waiting { waiter.resume() }
    }
    for waiter in takeWaiting() { waiter.resume() }
  }

  private var isGood: Bool { held.withLock { $0.keys != nil && $0.fault == nil } }

  private func takeWaiting() -> [CheckedContinuation<Void, Never>] {
    held.withLock { held in
      defer { held.waiting = [:] }
      return Array(held.waiting.values)
    }
  }

  /// Fetches once. What is there stays where that fails.
  package func look() async {
    do throws(KeySourceFault) {
      let keys = try await source.fetch()
      held.withLock { held in
        held.keys = keys
        held.fetchedAt = .now
        held.fault = nil
      }
      onState(.good)
    } catch {
      held.withLock { $0.fault = error.sentence }
      let isStillGood = (try? current()) != nil
      onState(isStillGood ? .stale(error.sentence) : .unavailable(error.sentence))
    }
  }

  /// To be called once, when nobody looks any more.
  package func close() async { await source.close() }

  /// Returns after a look that begins after this call, or when the task is cancelled. Needs `run` to be under way.
  package func lookedAt() async {
    let number = held.withLock { held in
      held.lastWaiter += 1
      return held.lastWaiter
    }
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isEnded = held.withLock { held in
          if held.ended.remove(number) != nil || Task.isCancelled { return true }
          held.waiting[number] = continuation
          return false
        }
        if isEnded { continuation.resume() }
      }
    } onCancel: {
      let waiter = held.withLock { held -> CheckedContinuation<Void, Never>? in
        guard let waiter = held.waiting.removeValue(forKey: number) else {
          held.ended.insert(number)
          return nil
        }
        return waiter
      }
      waiter?.resume()
    }
    held.withLock { _ = $0.ended.remove(number) }
  }
}
