import Domain

/// What the pipeline tells those who run it. The adapter logs and counts.
package enum PipelineNote: Sendable {
  case batch(size: Int)
  case answered(type: CommandType, outcome: OutcomeWord, count: Int)
  /// Acknowledged.
  case finished(type: CommandType, FinishedCommands)
  /// Confirmed by the broker.
  case eventsPublished(type: EventType, count: Int)
  /// By the provider, committed.
  case captured(Money)
  /// Up the ladder without having failed.
  case waits(count: Int, reason: String)
  case deadLettered(CommandReference, type: CommandType?, reason: DeadLetterReason, error: String)
  case retried(CommandReference, rung: RetryRung, attempt: Int, error: String)
  case failedInPlace(CommandReference, attempt: Int, error: String)
  /// A payment's result or an expiry that the store refused.
  case ownCommandFailed(CommandReference, error: String)
  /// A call of the provider had no effect, or nobody can tell.
  case paymentCallFailed(CommandReference, key: String, isUnknown: Bool, error: String)
  /// A message that was delivered again and again, and how many workers are known to have died over it.
  case triedAlone(messageID: String?, deliveries: Int64, deaths: Int)
  case storeUnavailable(String)
  case storeAvailable
  /// No sender's token can be verified.
  case keysUnavailable(String)
  case keysAvailable
  case conflict(String, run: Int)
  case notForwarded(count: Int, error: String)
  case eventsUnconfirmed(count: Int)
  case eventsLeftToRelay(count: Int)
  case relayed(count: Int)
}

package protocol PipelineJournal: Sendable {
  func note(_ note: PipelineNote)
}

/// How long some commands of one type took.
package struct FinishedCommands: Sendable {
  /// Each from its delivery.
  package private(set) var took: [Duration] = []
  /// Each from its sender's own time, of those that carry one and are no replays.
  package private(set) var ages: [Duration] = []
  /// The longest whose trace is recorded.
  package private(set) var example: (took: Duration, trace: TraceContext)?

  package init() {}

  package mutating func add(took: Duration, age: Duration?, trace: TraceContext? = nil) {
    self.took.append(took)
    if let age { ages.append(age) }
    if let trace, example.map({ $0.took < took }) ?? true { example = (took, trace) }
  }
}

/// How a command ended, as replies and metrics name it.
package enum OutcomeWord: String, CaseIterable, Sendable {
  case accepted, rejected, duplicate
  case deadLettered = "dead_lettered"
}

/// The end of one command.
package struct Conclusion: Hashable, Sendable {
  package let type: CommandType
  package let outcome: OutcomeWord
}

extension Sequence where Element: Hashable {
  /// How often each occurs.
  package var tally: [Element: Int] { reduce(into: [:]) { $0[$1, default: 0] += 1 } }
}
