import Application
import Domain
import Synchronization

/// A command source that is fed by the test and remembers how its deliveries were settled.
package final class InMemorySource: CommandSource {
  private struct State {
    var waiting: [SourceEvent] = []
    var receiver: CheckedContinuation<SourceEvent, Never>?
    var settled: [Settlement] = []
    var stopped = false
    var nextTag: UInt64 = 1
  }
  private let state = Mutex(State())

  package init() {}

  package var settled: [Settlement] { state.withLock { $0.settled } }

  /// Delivers a batch; returns the tags' numbers.
  @discardableResult
  package func deliver(_ messages: [Message], redelivered: Bool = false) -> [UInt64] {
    let (event, tags) = state.withLock { state -> (SourceEvent, [UInt64]) in
      let received = messages.map { message in
        defer { state.nextTag += 1 }
        return ReceivedMessage(tag: DeliveryTag(generation: 1, number: state.nextTag), redelivered: redelivered, message: message)
      }
      return (.deliveries(received), received.map(\.tag.number))
    }
    push(event)
    return tags
  }

  package func stop() { push(.stopped) }

  private func push(_ event: SourceEvent) {
    let receiver = state.withLock { state -> CheckedContinuation<SourceEvent, Never>? in
      if let receiver = state.receiver {
        state.receiver = nil
        return receiver
      }
      state.waiting.append(event)
      return nil
    }
    receiver?.resume(returning: event)
  }

  package func next(max: Int) async -> SourceEvent {
    await withCheckedContinuation { continuation in
      let event = state.withLock { state -> SourceEvent? in
        if !state.waiting.isEmpty { return state.waiting.removeFirst() }
        state.receiver = continuation
        return nil
      }
      if let event { continuation.resume(returning: event) }
    }
  }

  package func settle(_ settlements: [Settlement], generation: UInt64) { state.withLock { $0.settled += settlements } }
  package func stopTaking() async { push(.stopped) }

  /// Whether what was settled comes to all deliveries up to this one, none of them named again: RabbitMQ closes the channel over that.
  package func hasAcknowledged(upTo last: UInt64) -> Bool {
    var open = Set(1...last)
    for settlement in settled {
      switch settlement {
      case .acknowledge(let tag):
        guard open.contains(tag) else { return false }
        open = open.filter { $0 > tag }
      case .acknowledgeOne(let tag): guard open.remove(tag) != nil else { return false }
      }
    }
    return open.isEmpty
  }
}

/// Takes events, forwarded messages, replies and snapshots, and remembers them; refuses events or messages on demand.
package final class InMemoryBroker: EventPublisher, MessageForwarder, ReplySender, SnapshotCache {
  package struct Taken: Sendable {
    package var events: [EncodedEvent] = []
    package var forwarded: [Message] = []
    package var replies: [Reply] = []
    package var snapshots: [OrderKey: Snapshot] = [:]
    package var removed: [OrderKey] = []
  }
  private let taken = Mutex(Taken())
  private let takesEvent: @Sendable (EncodedEvent) -> Bool
  private let refusals: Mutex<Int>
  private let replying = Mutex<(@Sendable () async -> Void)?>(nil)

  /// `refusals`: how many forwards fail before one succeeds.
  package init(refusals: Int = 0, takesEvent: @escaping @Sendable (EncodedEvent) -> Bool = { _ in true }) {
    self.takesEvent = takesEvent
    self.refusals = Mutex(refusals)
  }

  package var all: Taken { taken.withLock { $0 } }

  package func publish(_ events: [EncodedEvent]) async -> [Bool] {
    let accepted = events.map(takesEvent)
    taken.withLock { $0.events += zip(events, accepted).filter(\.1).map(\.0) }
    return accepted
  }

  package func forward(_ messages: [Message]) async -> [ForwardOutcome] {
    let refused = refusals.withLock { left in
      defer { left = max(0, left - 1) }
      return left > 0
    }
    if refused { return messages.map { _ in .notTaken("refused on demand") } }
    taken.withLock { $0.forwarded += messages }
    return messages.map { _ in .safe }
  }

  /// What happens before replies are sent.
  package func beforeReplies(_ next: (@Sendable () async -> Void)?) { replying.withLock { $0 = next } }

  package func send(_ replies: [Reply]) async {
    await replying.withLock { $0 }?()
    taken.withLock { $0.replies += replies }
  }

  package func store(_ snapshots: [Snapshot]) async {
    taken.withLock { taken in for snapshot in snapshots { taken.snapshots[snapshot.key] = snapshot } }
  }

  package func load(_ keys: [OrderKey]) async -> [OrderKey: Snapshot] { all.snapshots.filter { keys.contains($0.key) } }

  package func remove(_ keys: [OrderKey]) async { taken.withLock { $0.removed += keys } }
}

package struct SilentJournal: PipelineJournal {
  package init() {}
  package func note(_ note: PipelineNote) {}
}
