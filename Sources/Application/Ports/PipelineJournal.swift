import Domain

/// What the pipeline tells those who run it. The adapter logs and counts.
package enum PipelineNote: Sendable {
  case batch(size: Int)
  case answered(type: CommandType, outcome: String)
  /// Acknowledged; `took` counts from its delivery.
  case finished(type: CommandType, took: Duration)
  /// Confirmed by the broker.
  case eventsPublished([EventType])
  /// By the provider, committed.
  case captured(Money)
  /// Up the ladder without having failed.
  case waits(count: Int, reason: String)
  case deadLettered(messageID: String?, type: CommandType?, reason: DeadLetterReason, error: String)
  case retried(messageID: String, rung: RetryRung, attempt: Int, error: String)
  case failedInPlace(messageID: String, attempt: Int, error: String)
  /// A payment's result or an expiry that the store refused.
  case ownCommandFailed(order: OrderKey, error: String)
  case storeUnavailable(String)
  case storeAvailable
  case conflict(String, run: Int)
  case notForwarded(count: Int)
  case eventsUnconfirmed(count: Int)
  case eventsLeftToRelay(count: Int)
  case relayed(count: Int)
}

package protocol PipelineJournal: Sendable {
  func note(_ note: PipelineNote)
}
