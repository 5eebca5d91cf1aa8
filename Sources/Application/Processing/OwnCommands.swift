import Synchronization

/// Where the worker's own commands wait for the pipeline. Who hands one in waits until it is decided, and so hands in no more than it can hold.
package final class OwnCommands: Sendable {
  struct Entry: Sendable {
    let command: OwnCommand
    private let decided: CheckedContinuation<Void, Never>

    init(_ command: OwnCommand, _ decided: CheckedContinuation<Void, Never>) {
      self.command = command
      self.decided = decided
    }

    /// To be called once: the command is committed, did not apply, or is given up.
    func finish() { decided.resume() }
  }

  private struct State {
    var waiting: [Entry] = []
    var receiver: CheckedContinuation<[Entry], Never>?
    var isFinished = false
  }
  private let state = Mutex(State())

  package init() {}

  /// Returns when the command is decided, or at once after `finish`.
  package func decide(_ command: OwnCommand) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let entry = Entry(command, continuation)
      let (receiver, isFinished) = state.withLock { state -> (CheckedContinuation<[Entry], Never>?, Bool) in
        if state.isFinished { return (nil, true) }
        defer { state.receiver = nil }
        if state.receiver == nil { state.waiting.append(entry) }
        return (state.receiver, false)
      }
      if isFinished { entry.finish() }
      receiver?.resume(returning: [entry])
    }
  }

  /// No more will come.
  package func finish() {
    let receiver = state.withLock { state in
      state.isFinished = true
      defer { state.receiver = nil }
      return state.receiver
    }
    receiver?.resume(returning: [])
  }

  /// Whatever waits, at most `max`; empty when no more will come.
  func next(max: Int) async -> [Entry] {
    await withCheckedContinuation { continuation in
      let ready = state.withLock { state -> [Entry]? in
        if !state.waiting.isEmpty {
          let taken = Array(state.waiting.prefix(max))
          state.waiting.removeFirst(taken.count)
          return taken
        }
        if state.isFinished { return [] }
        state.receiver = continuation
        return nil
      }
      if let ready { continuation.resume(returning: ready) }
    }
  }
}
