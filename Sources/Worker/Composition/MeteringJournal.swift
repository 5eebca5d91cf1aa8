import Application
import Domain
import Operations

/// Counts what the pipeline tells, and passes it on.
struct MeteringJournal: PipelineJournal {
  let next: any PipelineJournal
  let metrics: WorkerMetrics

  func note(_ note: PipelineNote) {
    switch note {
    case .batch(let size):
      metrics.batchSize.record(Double(size), NoLabels())
      metrics.consumed.add(Int64(size), .init("messaging_system", "rabbitmq"))
    case .answered(let type, let outcome, let count): metrics.commands.add(Int64(count), .init(type: type.rawValue, outcome: outcome.rawValue))
    case .finished(let type, let finished): record(finished, .init("type", type.rawValue))
    case .deadLettered(_, let type, let reason, _):
      metrics.commands.add(1, .init(type: type?.rawValue ?? "other", outcome: OutcomeWord.deadLettered.rawValue))
      metrics.deadLetters.add(1, .init("reason", reason.rawValue))
    case .retried: metrics.retries.add(1, .init("reason", "fault"))
    case .waits(let count, let reason): metrics.retries.add(Int64(count), .init("reason", reason))
    case .notForwarded(let count, _): metrics.forwardsRefused.add(Int64(count), NoLabels())
    case .eventsPublished(let type, let count):
      metrics.events.add(Int64(count), .init("type", type.rawValue))
      metrics.sent.add(Int64(count), .init("messaging_system", "rabbitmq"))
    case .captured(let amount): metrics.revenue.add(amount.minorUnits, .init("currency", amount.currency.code))
    default: break
    }
    next.note(note)
  }

  private func record(_ finished: FinishedCommands, _ type: WorkerMetrics.Word) {
    metrics.commandDuration.record(
      finished.took.map { $0 / .seconds(1) }, type, example: finished.example.map { Exemplar(value: $0.took / .seconds(1), traceID: $0.trace.traceID) })
    if !finished.ages.isEmpty { metrics.commandAge.record(finished.ages.map { $0 / .seconds(1) }, type) }
  }
}

/// Counts what the cache knew.
struct MeteredCache: SnapshotCache {
  let next: any SnapshotCache
  let metrics: WorkerMetrics

  func store(_ snapshots: [Snapshot]) async { await next.store(snapshots) }
  func remove(_ keys: [OrderKey]) async { await next.remove(keys) }

  func load(_ keys: [OrderKey]) async -> [OrderKey: Snapshot] {
    let found = await next.load(keys)
    if !found.isEmpty { metrics.cacheRequests.add(Int64(found.count), .init("result", "hit")) }
    if found.count < keys.count { metrics.cacheRequests.add(Int64(keys.count - found.count), .init("result", "miss")) }
    return found
  }
}

/// Counts calls to providers.
struct MeteringAdapterObserver: AdapterObserver {
  let metrics: WorkerMetrics

  func called(adapter: String, operation: String, outcome: String, took: Duration) {
    metrics.adapterDuration.record(took / .seconds(1), .init(adapter: adapter, operation: operation, outcome: outcome))
  }

  func breakerChanged(adapter: String, to state: BreakerState, reason: String?) {
    switch state {
    case .closed: metrics.setBreaker(adapter, 0)
    case .halfOpen: metrics.setBreaker(adapter, 1)
    case .open: metrics.setBreaker(adapter, 2)
    }
  }
}
