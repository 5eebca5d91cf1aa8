import Glibc
import Synchronization

/// Turns SIGTERM and SIGINT into a request to stop. The second one ends the process at once.
package final class ShutdownSignals: Sendable {
  private let arrivals: SignalArrivals
  private let watch: SignalWatch

  /// Takes the two signals over for the rest of the process's life.
  package init() {
    let arrivals = SignalArrivals()
    self.arrivals = arrivals
    watch = SignalWatch([SIGTERM, SIGINT]) { arrivals.note($0) }
  }

  /// Returns the first signal, when it comes.
  package func wait() async -> Int32 { await arrivals.first() }

  package var hasArrived: Bool { arrivals.hasOne }

  package static func name(_ number: Int32) -> String { number == SIGINT ? "SIGINT" : "SIGTERM" }
}

/// The first signal and who waits for it.
private final class SignalArrivals: Sendable {
  private struct State {
    var first: Int32?
    var waiters: [CheckedContinuation<Int32, Never>] = []
  }

  private let state = Mutex(State())

  var hasOne: Bool { state.withLock { $0.first != nil } }

  func first() async -> Int32 {
    await withCheckedContinuation { continuation in
      let first = state.withLock { state in
        if state.first == nil { state.waiters.append(continuation) }
        return state.first
      }
      if let first { continuation.resume(returning: first) }
    }
  }

  func note(_ number: Int32) {
    let waiters = state.withLock { state in
      if state.first != nil { _exit(128 + number) }
      state.first = number
      defer { state.waiters = [] }
      return state.waiters
    }
    for waiter in waiters { waiter.resume(returning: number) }
  }
}
