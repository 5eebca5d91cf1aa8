import Domain
import Synchronization

/// Moves what comes to the dead-letter queue into the store: acknowledged once it is committed, and there once however often it comes.
package final class DeadLetterIngestor: Sendable {
  private let source: any CommandSource
  private let codec: any DeadLetterCodec
  private let store: any DeadLetterStore
  private let journal: any DeadLetterJournal
  private let now: @Sendable () -> Timestamp
  private let clock: any Clock<Duration>
  private let draining = Mutex(false)

  /// The most letters of one transaction: their bodies are in memory together.
  private static let batchMax = 100

  package init(
    source: any CommandSource, codec: any DeadLetterCodec, store: any DeadLetterStore, journal: any DeadLetterJournal,
    now: @escaping @Sendable () -> Timestamp, clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.source = source
    self.codec = codec
    self.store = store
    self.journal = journal
    self.now = now
    self.clock = clock
  }

  /// Takes no more; `run` returns when what was taken is kept, or goes back since the store is away.
  package func drain() async {
    draining.withLock { $0 = true }
    await source.stopTaking()
  }

  package func run() async {
    var acks = AckLedger()
    while true {
      switch await source.next(max: Self.batchMax) {
      case .deliveries(let received):
        acks.received(received.map(\.tag))
        let kept = await keep(received)
        if !kept.isEmpty { journal.note(.ingested(count: kept.count)) }
        let settlements = acks.settle(kept)
        if !settlements.isEmpty { source.settle(settlements, generation: acks.generation) }
      case .lost(let generation): acks.lost(generation: generation)
      case .stopped: return
      }
    }
  }

  private typealias Letter = (tag: DeliveryTag, arrival: DeadLetterArrival)

  /// Returns the deliveries whose letters are committed.
  private func keep(_ received: [ReceivedMessage]) async -> [DeliveryTag] {
    var rest: [Letter] = received.map { ($0.tag, codec.read($0, at: now())) }
    var kept: [DeliveryTag] = []
    // A letter that failed twice is two rounds: a statement changes a row once.
    while !rest.isEmpty {
      var round: [Letter] = []
      var later: [Letter] = []
      var keys: Set<DeadLetterKey> = []
      for letter in rest { if keys.insert(letter.arrival.letter.key).inserted { round.append(letter) } else { later.append(letter) } }
      kept += await ingest(round[...])
      rest = later
    }
    return kept
  }

  /// In halves where one of them is at fault.
  private func ingest(_ letters: ArraySlice<Letter>) async -> [DeliveryTag] {
    var isAway = false
    while true {
      do throws(StoreError) {
        try await store.ingest(letters.map(\.arrival))
        if isAway { journal.note(.storeAvailable) }
        return letters.map(\.tag)
      } catch {
        switch error {
        case .refused(let reason) where letters.count == 1:
          let letter = letters.first!.arrival.letter
          journal.note(.notIngested(CommandReference(messageID: letter.messageID, tenant: letter.key.tenant, order: letter.order), error: reason))
          return []
        case .refused:
          let middle = letters.startIndex + letters.count / 2
          let first = await ingest(letters[..<middle])
          return first + (await ingest(letters[middle...]))
        case .conflict, .blocked: break
        case .unavailable(let reason):
          if !isAway { journal.note(.storeUnavailable(reason)) }
          isAway = true
          if draining.withLock({ $0 }) || Task.isCancelled { return [] }
          await store.untilAvailable()
        }
        try? await clock.sleep(for: .milliseconds(50))
      }
    }
  }
}
