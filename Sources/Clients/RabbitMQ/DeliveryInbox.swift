import ClientRuntime

/// Deliveries between the consumer's thread and its reader. The prefetch bounds their number, and `isFull` their bytes.
final class DeliveryInbox: Sendable {
  private struct State {
    var deliveries: [Delivery] = []
    var lost: UInt64?
    var stopped = false
    var isClosed = false
    var reader: (max: Int, continuation: CheckedContinuation<ConsumerEvent, Never>)?

    var bytes = 0

    mutating func take(max: Int) -> ConsumerEvent? {
      if let generation = lost {
        lost = nil
        return .lost(generation: generation)
      }
      if deliveries.isEmpty { return stopped ? .stopped : nil }
      var (count, size) = (0, 0)
      while count < min(max, deliveries.count), count == 0 || size + deliveries[count].body.count <= DeliveryInbox.mostBytesAtOnce {
        size += deliveries[count].body.count
        count += 1
      }
      bytes -= size
      let some = Array(deliveries.prefix(count))
      deliveries.removeFirst(count)
      return .deliveries(some)
    }
  }

  /// A reader gets no more than this in one go, but for a single larger message.
  private static let mostBytesAtOnce = 16 << 20

  private let state = Locked(State())

  /// Enough for now: the rest stays in the socket until the reader has taken some, but for the little that keeps the connection alive. A prefetch
  /// of giant bodies must not fill the memory.
  var isFull: Bool { state.withLock { $0.bytes > Self.mostBytesAtOnce } }

  var count: Int { state.withLock(\.deliveries.count) }

  func next(max: Int) async -> ConsumerEvent {
    await withCheckedContinuation { continuation in
      let event = state.withLock { state -> ConsumerEvent? in
        if let event = state.take(max: max) { return event }
        state.reader = (max, continuation)
        return nil
      }
      if let event { continuation.resume(returning: event) }
    }
  }

  func add(_ deliveries: [Delivery]) {
    let size = deliveries.reduce(0) { $0 + $1.body.count }
    change {
      guard !$0.isClosed else { return }
      $0.deliveries += deliveries
      $0.bytes += size
    }
  }

  /// What of this generation was not read yet comes again, too.
  func lose(_ generation: UInt64) {
    change {
      $0.deliveries = []
      $0.bytes = 0
      if !$0.isClosed { $0.lost = generation }
    }
  }

  var isStopped: Bool { state.withLock { $0.stopped } }

  /// Ends with what is here already.
  func stop() { change { $0.stopped = true } }

  /// Ends at once.
  func close() {
    change {
      $0.stopped = true
      $0.isClosed = true
      $0.deliveries = []
      $0.bytes = 0
      $0.lost = nil
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let woken = state.withLock { state -> (CheckedContinuation<ConsumerEvent, Never>, ConsumerEvent)? in
      body(&state)
      guard let reader = state.reader, let event = state.take(max: reader.max) else { return nil }
      state.reader = nil
      return (reader.continuation, event)
    }
    if let (continuation, event) = woken { continuation.resume(returning: event) }
  }
}
