import ClientRuntime

/// Deliveries between the consumer's thread and its reader. The prefetch bounds it.
final class DeliveryInbox: Sendable {
  private struct State {
    var deliveries: [Delivery] = []
    var lost: UInt64?
    var stopped = false
    var isClosed = false
    var reader: (max: Int, continuation: CheckedContinuation<ConsumerEvent, Never>)?

    mutating func take(max: Int) -> ConsumerEvent? {
      if let generation = lost {
        lost = nil
        return .lost(generation: generation)
      }
      if deliveries.isEmpty { return stopped ? .stopped : nil }
      if deliveries.count <= max {
        let all = deliveries
        deliveries = []
        return .deliveries(all)
      }
      let some = Array(deliveries.prefix(max))
      deliveries.removeFirst(max)
      return .deliveries(some)
    }
  }

  private let state = Locked(State())

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
    change { if !$0.isClosed { $0.deliveries += deliveries } }
  }

  /// What of this generation was not read yet comes again, too.
  func lose(_ generation: UInt64) {
    change {
      $0.deliveries = []
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
