import Synchronization

/// A bounded hand-over from one stage to the next: `send` waits while it is full, `next` while it is empty. Any number of senders, each
/// in its turn; one receiver.
package final class Handover<Element: Sendable>: Sendable {
  private struct State {
    var buffer: [Element] = []
    var finished = false
    var senders: [CheckedContinuation<Void, Never>] = []
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
        state.senders.append(continuation)
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
      let receiver = state.receiver
      state.receiver = nil
      return receiver
    }
    receiver?.resume(returning: nil)
  }

  package func next() async -> Element? {
    await withCheckedContinuation { continuation in
      let (answer, sender) = state.withLock { state -> (Element??, CheckedContinuation<Void, Never>?) in
        if !state.buffer.isEmpty {
          let element = state.buffer.removeFirst()
          return (.some(element), state.senders.isEmpty ? nil : state.senders.removeFirst())
        }
        if state.finished { return (.some(nil), nil) }
        state.receiver = continuation
        return (nil, nil)
      }
      sender?.resume()
      if let answer { continuation.resume(returning: answer) }
    }
  }
}
