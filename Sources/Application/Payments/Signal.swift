import Synchronization

/// Wakes one waiter; set while nobody waits, it wakes the next one at once.
final class Signal: Sendable {
  private struct State {
    var isSet = false
    /// Which wait is going on, and the last whose time has run out.
    var wait = 0
    var ended = 0
    var waiter: CheckedContinuation<Void, Never>?
  }
  private let state = Mutex(State())

  func set() {
    let waiter = state.withLock { state in
      let waiter = state.waiter
      if waiter == nil { state.isSet = true }
      state.waiter = nil
      return waiter
    }
    waiter?.resume()
  }

  /// Returns when the signal is set, or after `limit`.
  func wait(atMost limit: Duration, clock: some Clock<Duration>) async {
    let number = state.withLock { state in
      state.wait += 1
      return state.wait
    }
    async let _: Void = end(number, after: limit, clock)
    await withCheckedContinuation { continuation in
      let isSet = state.withLock { state in
        if state.isSet || state.ended == number {
          state.isSet = false
          return true
        }
        state.waiter = continuation
        return false
      }
      if isSet { continuation.resume() }
    }
    // Left unawaited, the timer is cancelled here.
  }

  private func end(_ number: Int, after limit: Duration, _ clock: some Clock<Duration>) async {
    guard (try? await clock.sleep(for: limit)) != nil else { return }
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      guard state.wait == number else { return nil }
      state.ended = number
      let waiter = state.waiter
      state.waiter = nil
      return waiter
    }
    waiter?.resume()
  }
}
