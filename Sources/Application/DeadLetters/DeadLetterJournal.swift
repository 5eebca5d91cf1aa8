/// What the keepers of dead letters tell those who run the worker.
package enum DeadLetterNote: Sendable {
  case ingested(count: Int)
  /// It stays in the queue, and comes again with the next connection.
  case notIngested(CommandReference, error: String)
  case storeUnavailable(String)
  case storeAvailable
  case settled(count: Int)
  case takenBack(count: Int)
  case trimmed(count: Int)
}

package protocol DeadLetterJournal: Sendable {
  func note(_ note: DeadLetterNote)
}
