import Domain
import Synchronization

/// The path of a command: prepare, transact, publish, acknowledge. One ordered sequence of batches, each stage at work on a batch of its own.
package final class CommandPipeline: Sendable {
  package struct Ports: Sendable {
    package let source: any CommandSource
    package let decoder: any CommandDecoder
    package let encoder: any MessageEncoder
    package let store: any OrderStore
    package let events: any EventPublisher
    package let forwarder: any MessageForwarder
    package let replies: any ReplySender
    package let cache: any SnapshotCache
    package let journal: any PipelineJournal
    package let trials: any TrialNotes
    package let tracer: any Tracer
    /// The worker's own commands; to be finished after the source has stopped.
    package let own: OwnCommands
    /// Called after a commit that the provider is to be asked for something.
    package let paymentsOpened: @Sendable () -> Void

    package init(
      source: any CommandSource, decoder: any CommandDecoder, encoder: any MessageEncoder, store: any OrderStore, events: any EventPublisher,
      forwarder: any MessageForwarder, replies: any ReplySender, cache: any SnapshotCache, journal: any PipelineJournal,
      trials: any TrialNotes, own: OwnCommands, tracer: any Tracer = NoTracing(), paymentsOpened: @escaping @Sendable () -> Void = {}
    ) {
      self.source = source
      self.decoder = decoder
      self.encoder = encoder
      self.store = store
      self.events = events
      self.forwarder = forwarder
      self.replies = replies
      self.cache = cache
      self.journal = journal
      self.trials = trials
      self.tracer = tracer
      self.own = own
      self.paymentsOpened = paymentsOpened
    }
  }

  package struct Settings: Sendable {
    package var batchMax: Int
    package var terms: OrderTerms
    package var retries: RetryPolicy
    package var forwarding: Forwarding
    /// Tells the time for what people read in headers; what is decided goes by the store's clock.
    package var now: @Sendable () -> Timestamp
    /// A number from 0 to 1, by which pauses differ between workers that were stopped by the same thing.
    package var jitter: @Sendable () -> Double = { .random(in: 0...1) }

    package init(batchMax: Int, terms: OrderTerms, retries: RetryPolicy, forwarding: Forwarding, now: @escaping @Sendable () -> Timestamp) {
      self.batchMax = batchMax
      self.terms = terms
      self.retries = retries
      self.forwarding = forwarding
      self.now = now
    }
  }

  /// What a worker has done with the deliveries that it took.
  package struct Report: Sendable, Equatable {
    /// In its whole life.
    package var settled = 0
    /// Those of them that it had in hand when it was told to stop, or took until it had stopped taking.
    package var finished = 0
    package var unsettled = 0

    package init(settled: Int = 0, finished: Int = 0, unsettled: Int = 0) {
      self.settled = settled
      self.finished = finished
      self.unsettled = unsettled
    }
  }

  let ports: Ports
  let settings: Settings
  let clock: any Clock<Duration>
  let sweeper = OutboxSweeper()
  /// This life of the worker; another one after a restart, though host and process id may be the same.
  let life: UUIDValue
  private let ledger = Mutex((acks: AckLedger(), settled: 0))
  /// How many were settled when the drain began.
  private let draining = Mutex<Int?>(nil)
  private let givingBack = Mutex(false)
  private let leaving = Mutex(false)

  package init(ports: Ports, settings: Settings, clock: any Clock<Duration> = ContinuousClock()) {
    self.ports = ports
    self.settings = settings
    self.clock = clock
    var random = SystemRandomNumberGenerator()
    life = .random(using: &random)
  }

  /// Whether events are left in the outbox from here on.
  var leavesToRelay: Bool { leaving.withLock { $0 } }
  func leaveEventsToRelay() { leaving.withLock { $0 = true } }

  var isDraining: Bool { draining.withLock { $0 != nil } }

  /// Whether something in hand cannot be done before the end, since a server is away: what waits for it need not wait any longer.
  var givesBack: Bool { givingBack.withLock { $0 } }
  func giveBack() { givingBack.withLock { $0 = true } }

  /// Takes no more from the source; `run` returns when what is in hand is done.
  package func drain() async {
    let settled = ledger.withLock { $0.settled }
    draining.withLock { $0 = $0 ?? settled }
    await ports.source.stopTaking()
  }

  /// At any time; while it works, what is unsettled is in hand.
  package var report: Report {
    let before = draining.withLock { $0 }
    return ledger.withLock { Report(settled: $0.settled, finished: $0.settled - (before ?? $0.settled), unsettled: $0.acks.unsettled) }
  }

  /// Works until the source stops and everything in hand is settled or given up: the source gives back what is unsettled then.
  package func run() async {
    let prepared = Handover<PreparedBatch>(capacity: 1)
    let transacted = Handover<TransactedBatch>(capacity: 1)
    await withDiscardingTaskGroup { group in
      group.addTask {
        async let own: Void = self.feedOwn(into: prepared)
        await self.prepare(into: prepared)
        await own
        prepared.finish()
      }
      group.addTask { await self.transact(from: prepared, into: transacted) }
      async let _: Void = sweepWhileIdle()
      while let batch = await transacted.next() {
        for failed in batch.failed { group.addTask { await self.tryAgain(failed) } }
        if !batch.waiting.isEmpty { group.addTask { await self.wait(batch.waiting) } }
        if !batch.refused.isEmpty { group.addTask { await self.park(batch.refused) } }
        let behind = await self.publish(batch)
        if !behind.isEmpty { group.addTask { await self.publishLater(behind) } }
      }
      // Sweeping is cancelled here and waited for. What it has just taken it deletes, or puts back for the last sweep: the store's connection
      // closes after that.
    }
    await sweep()
  }

  private func prepare(into prepared: Handover<PreparedBatch>) async {
    await withDiscardingTaskGroup { waitingForKeys in
      taking: while true {
        switch await ports.source.next(max: settings.batchMax) {
        case .deliveries(let received):
          ledger.withLock { $0.acks.received(received.map(\.tag)) }
          var rest = received[...]
          while let next = rest.first {
            if Self.isSuspect(next) {
              await tryAlone(rest.removeFirst(), into: prepared)
            } else {
              let together = rest.prefix { !Self.isSuspect($0) }
              if let unknown = await prepare(together, into: prepared), !unknown.isEmpty {
                waitingForKeys.addTask { await self.prepareAgain(unknown, into: prepared) }
              }
              rest = rest[together.endIndex...]
            }
          }
        case .lost(let generation): ledger.withLock { $0.acks.lost(generation: generation) }
        case .stopped: break taking
        }
      }
      // What still waits for a key goes back.
      waitingForKeys.cancelAll()
    }
  }

  private func feedOwn(into prepared: Handover<PreparedBatch>) async {
    while true {
      let entries = await ports.own.next(max: settings.batchMax)
      if entries.isEmpty { return }
      await prepared.send(.own(entries))
    }
  }

  func look(_ condition: (AckLedger) -> Bool) -> Bool { ledger.withLock { condition($0.acks) } }

  func acknowledge(_ tags: [DeliveryTag]) {
    guard !tags.isEmpty else { return }
    // The settlements of one channel must leave in the order in which they were found, so they leave under the lock; it never waits.
    ledger.withLock { state in
      let before = state.acks.unsettled
      let settlements = state.acks.settle(tags)
      state.settled += before - state.acks.unsettled
      if !settlements.isEmpty { ports.source.settle(settlements, generation: state.acks.generation) }
    }
  }

  /// Deletes confirmed outbox rows within 50 ms where no transaction comes along to take them.
  private func sweepWhileIdle() async {
    while !Task.isCancelled {
      try? await clock.sleep(for: .milliseconds(50))
      await sweep()
    }
  }

  private func sweep() async {
    let keys = sweeper.take()
    guard !keys.isEmpty else { return }
    do {
      try await ports.store.forget(keys)
      sweeper.deleted(keys)
    } catch {
      sweeper.putBack(keys)
    }
  }
}

/// A delivery with what was read off it.
struct PreparedDelivery: Sendable {
  enum Reading: Sendable {
    case command(CommandEnvelope)
    case refused(Refusal)
  }
  let received: ReceivedMessage
  let reading: Reading
}

/// What goes through a transaction together.
enum PreparedBatch: Sendable {
  case deliveries([PreparedDelivery])
  case own([OwnCommands.Entry])
}

/// A delivery whose command the store would not do.
struct FailedDelivery: Sendable {
  let received: ReceivedMessage
  let envelope: CommandEnvelope
  let error: String
}

/// A delivery that goes up the ladder without having failed.
struct WaitingDelivery: Sendable {
  enum Reason: String, Sendable {
    case early
    case paymentOpen = "payment_open"
  }
  let received: ReceivedMessage
  let envelope: CommandEnvelope
  let reason: Reason
}

struct RefusedDelivery: Sendable {
  let received: ReceivedMessage
  let refusal: Refusal
  /// Nil where no command could be read from it.
  var envelope: CommandEnvelope?
}

/// A delivery whose command is committed.
struct DoneDelivery: Sendable {
  let received: ReceivedMessage
  let envelope: CommandEnvelope
  /// Nil where it is answered when its payment is settled.
  let reply: ReplyOutcome?
  /// The transaction's place in a trace that is recorded.
  let transaction: TraceContext?
}

/// A batch after its transaction: what is to be published and answered, and the deliveries that go their own ways.
struct TransactedBatch: Sendable {
  var done: [DoneDelivery] = []
  var events: [PendingEvent] = []
  var snapshots: [Snapshot] = []
  var replies: [StoredReply] = []
  var waiting: [WaitingDelivery] = []
  var failed: [FailedDelivery] = []
  var refused: [RefusedDelivery] = []
}
