import Application
import Domain
import Logging
import Operations

/// Tells in the log what the pipeline does that people may want to know.
struct LoggingJournal: PipelineJournal {
  let logger: Logger

  func note(_ note: PipelineNote) {
    switch note {
    case .batch, .answered, .finished, .eventsPublished, .captured, .waits: break
    case .deadLettered(let command, _, let reason, let error):
      logger.warning("command dead-lettered", metadata: Self.metadata(command, error, [LogKey.reason: "\(reason.rawValue)"]))
    case .retried(let command, let rung, let attempt, let error):
      logger.warning(
        "command waits on the retry ladder",
        metadata: Self.metadata(command, error, [LogKey.rung: "\(rung.rawValue)", LogKey.attempt: .stringConvertible(attempt)]))
    case .failedInPlace(let command, let attempt, let error):
      logger.info("command failed, tried again in place", metadata: Self.metadata(command, error, [LogKey.attempt: .stringConvertible(attempt)]))
    case .ownCommandFailed(let command, let error):
      logger.error("a payment's result or an expiry could not be stored", metadata: Self.metadata(command, error))
    case .paymentCallFailed(let command, let key, let isUnknown, let error):
      let message: Logger.Message = isUnknown ? "what a payment call did is not known, the provider is asked again" : "a payment call had no effect"
      // A provider that is away refuses every call: its state is logged once, as a dependency.
      logger.log(level: isUnknown ? .warning : .debug, message, metadata: Self.metadata(command, error, ["key": "\(key)"]))
    case .triedAlone(let id, let deliveries, let deaths):
      logger.warning(
        "a message that may have killed workers is tried alone",
        metadata: CommandReference(messageID: id).fields.mapValues(Logger.MetadataValue.string).merging(
          ["deliveries": .stringConvertible(deliveries), "deaths": .stringConvertible(deaths)]) { $1 })
    case .storeUnavailable(let reason): logger.error("the database is away: consuming stops", metadata: [LogKey.error: "\(reason)"])
    case .storeAvailable: logger.notice("the database is back: consuming goes on")
    case .keysUnavailable(let reason): logger.error("no sender can be verified: consuming stops", metadata: [LogKey.error: "\(reason)"])
    case .keysAvailable: logger.notice("the keys of senders' tokens are back: consuming goes on")
    case .conflict(let reason, let run):
      logger.debug("a transaction was disturbed and runs again", metadata: ["run": .stringConvertible(run), LogKey.error: "\(reason)"])
    case .notForwarded(let count, let error):
      logger.error(
        "retries or dead letters were not taken by RabbitMQ, tried again", metadata: [LogKey.count: .stringConvertible(count), LogKey.error: "\(error)"])
    case .eventsUnconfirmed(let count):
      logger.warning("events were not confirmed and stay in the outbox", metadata: [LogKey.count: .stringConvertible(count)])
    case .eventsLeftToRelay(let count): logger.info("events wait for older ones of their orders", metadata: [LogKey.count: .stringConvertible(count)])
    case .relayed(let count): logger.info("events of the outbox relayed", metadata: [LogKey.count: .stringConvertible(count)])
    }
  }

  static func metadata(_ command: CommandReference, _ error: String, _ more: Logger.Metadata = [:]) -> Logger.Metadata {
    var metadata = command.fields.mapValues(Logger.MetadataValue.string)
    metadata[LogKey.error] = "\(error)"
    return metadata.merging(more) { $1 }
  }
}
