import Synchronization

/// The outbox rows whose events are confirmed: they are deleted with the next batch's transaction, or soon where none comes.
package final class OutboxSweeper: Sendable {
  private struct State {
    var confirmed: [OutboxKey] = []
    /// Confirmed rows that a transaction may still see, or have seen: a batch is published after later ones have deleted.
    var published: Set<OutboxKey> = []
    var deleted: [[OutboxKey]] = []
  }
  private let state = Mutex(State())

  package init() {}

  package func confirmed(_ keys: [OutboxKey]) {
    state.withLock {
      $0.confirmed += keys
      $0.published.formUnion(keys)
    }
  }

  /// Takes what is to be deleted; `deleted` or `putBack` must follow.
  package func take() -> [OutboxKey] {
    state.withLock { state in
      let keys = state.confirmed
      state.confirmed = []
      return keys
    }
  }

  package func deleted(_ keys: [OutboxKey]) {
    state.withLock { state in
      state.deleted.append(keys)
      if state.deleted.count > Self.batchesInFlight {
        for key in state.deleted.removeFirst() { state.published.remove(key) }
      }
    }
  }

  /// More batches than can be between their transaction and their publication.
  private static let batchesInFlight = 8

  package func putBack(_ keys: [OutboxKey]) { state.withLock { $0.confirmed += keys } }

  /// Whether the event of this row is known to be with the broker.
  package func isPublished(_ key: OutboxKey) -> Bool { state.withLock { $0.published.contains(key) } }

  package var isEmpty: Bool { state.withLock { $0.confirmed.isEmpty } }
}
