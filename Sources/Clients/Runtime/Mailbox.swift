/// Jobs for a client's thread, in the order in which they came; bounded, each with the deadline after which nobody waits for it.
///
/// Any thread posts, the client's own thread takes. Every post signals the wake-up that the thread has in its `poll`.
public final class Mailbox<Job: Sendable>: Sendable {
  public enum Refusal: Error, Sendable { case full, closed }

  public let wakeup = Wakeup()
  private let capacity: Int
  private let state = Locked(State())

  private struct State: Sendable {
    var waiting: [(job: Job, deadline: Deadline)] = []
    var earliest: Deadline?
    var isClosing = false

    var earliestOfWaiting: Deadline? {
      var earliest: Deadline?
      for waiting in waiting { earliest = min(earliest ?? waiting.deadline, waiting.deadline) }
      return earliest
    }
  }

  public init(capacity: Int) { self.capacity = capacity }

  public func post(_ job: Job, deadline: Deadline) throws(Refusal) {
    let refusal: Refusal? = state.withLock { state in
      if state.isClosing { return .closed }
      if state.waiting.count >= capacity { return .full }
      state.waiting.append((job, deadline))
      state.earliest = min(state.earliest ?? deadline, deadline)
      return nil
    }
    if let refusal { throw refusal }
    wakeup.signal()
  }

  /// The oldest job still in time; call `takeOverdue` first.
  public func take() -> Job? {
    state.withLock { state in
      guard !state.waiting.isEmpty else { return nil }
      let first = state.waiting.removeFirst()
      state.earliest = state.earliestOfWaiting
      return first.job
    }
  }

  /// The jobs whose deadline has passed, for the client to fail.
  public func takeOverdue() -> [Job] {
    state.withLock { state in
      guard let earliest = state.earliest, earliest.hasPassed else { return [] }
      let now = ContinuousClock.now
      let overdue = state.waiting.filter { $0.deadline.instant <= now }.map { $0.job }
      state.waiting.removeAll { $0.deadline.instant <= now }
      state.earliest = state.earliestOfWaiting
      return overdue
    }
  }

  public func takeAll() -> [Job] {
    state.withLock { state in
      let all = state.waiting.map { $0.job }
      state.waiting = []
      state.earliest = nil
      return all
    }
  }

  /// When the next waiting job's time is over.
  public var earliestDeadline: Deadline? { state.withLock { $0.earliest } }
  public var isEmpty: Bool { state.withLock { $0.waiting.isEmpty } }
  public var isClosing: Bool { state.withLock { $0.isClosing } }

  /// Takes no more jobs, and tells the thread so.
  public func close() {
    state.withLock { $0.isClosing = true }
    wakeup.signal()
  }
}

extension Mailbox {
  /// Waits for a socket (none where negative); nil when the deadline has passed or `isOver` says so.
  ///
  /// `look` is called each time the thread wakes up, for the jobs that came or ran out of time meanwhile.
  public func wait(socket: Int32, wantsWrite: Bool = false, until deadline: Deadline, isOver: () -> Bool = { false }, look: () -> Void) -> PollResult? {
    while true {
      look()
      if isOver() { return nil }
      let next = earliestDeadline.map { min($0, deadline) } ?? deadline
      let result = poll(socket: socket, wantsWrite: wantsWrite, wakeup: wakeup, until: next)
      if result.wokenUp { wakeup.clear() }
      if result.socketReadable || result.socketWritable { return result }
      if deadline.hasPassed { return nil }
    }
  }
}
