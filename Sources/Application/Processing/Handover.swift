import Synchronization

/// A bounded hand-over from one stage to the next: `send` waits while it is full, `next` while it is empty. One sender, one receiver.
package final class Handover<Element: Sendable>: Sendable {
  private struct State {
    var buffer: [Element] = []
    var finished = false
    var sender: CheckedContinuation<Void, Never>?
    var receiver: CheckedContinuation<Element?, Never>?
  }

  private let capacity: Int
  private let state = Mutex(State())

  package init(capacity: Int) { self.capacity = capacity }

  package func send(_ element: Element) async {
    await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
      let (receiver, proceeds) = state.withLock { state -> (CheckedContinuation<Element?, Never>?, Bool) in
        if let receiver = state.receiver {
          state.receiver = nil
          return (receiver, true)
        }
        state.buffer.append(element)
        if state.buffer.count < capacity { return (nil, true) }
        state.sender = continuation
        return (nil, false)
      }
      receiver?.resume(returning: element)
      if proceeds { continuation.resume() }
    }
  }

  /// No more will come; `next` answers nil once the rest is taken.
  package func finish() {
    let receiver = state.withLock { state in
      state.finished = true
      defer { state.receiver = nil }
      return state.receiver
    }
    receiver?.resume(returning: nil)
  }

  package func next() async -> Element? {
    await withCheckedContinuation { continuation in
      enum Answer { case now(Element?), later }
      let (answer, sender) = state.withLock { state -> (Answer, CheckedContinuation<Void, Never>?) in
        if !state.buffer.isEmpty {
          let element = state.buffer.removeFirst()
          defer { state.sender = nil }
          return (.now(element), state.sender)
        }
        if state.finished { return (.now(nil), nil) }
        state.receiver = continuation
        return (.later, nil)
      }
      sender?.resume()
      if case .now(let element) = answer { continuation.resume(returning: element) }
    }
  }
}
