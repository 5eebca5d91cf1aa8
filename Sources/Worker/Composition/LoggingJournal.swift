import Application
import Domain
import Logging

/// Tells in the log what the pipeline does that people may want to know.
struct LoggingJournal: PipelineJournal {
  let logger: Logger

  func note(_ note: PipelineNote) {
    switch note {
    case .batch, .answered, .finished, .eventsPublished, .captured, .waits: break
    case .deadLettered(let messageID, _, let reason, let error):
      logger.warning("command dead-lettered", metadata: ["message_id": "\(messageID ?? "")", "reason": "\(reason.rawValue)", "error": "\(error)"])
    case .retried(let messageID, let rung, let attempt, let error):
      logger.warning(
        "command waits on the retry ladder",
        metadata: ["message_id": "\(messageID)", "rung": "\(rung.rawValue)", "attempt": "\(attempt)", "error": "\(error)"])
    case .failedInPlace(let messageID, let attempt, let error):
      logger.info("command failed, tried again in place", metadata: ["message_id": "\(messageID)", "attempt": "\(attempt)", "error": "\(error)"])
    case .ownCommandFailed(let order, let error):
      logger.error("a payment's result or an expiry could not be stored", metadata: ["order_id": "\(order.order)", "error": "\(error)"])
    case .storeUnavailable(let reason): logger.error("the database is away: consuming stops", metadata: ["error": "\(reason)"])
    case .storeAvailable: logger.notice("the database is back: consuming goes on")
    case .conflict(let reason, let run):
      logger.debug("a transaction was disturbed and runs again", metadata: ["run": "\(run)", "error": "\(reason)"])
    case .notForwarded(let count): logger.error("retries or dead letters were not taken by RabbitMQ, tried again", metadata: ["count": "\(count)"])
    case .eventsUnconfirmed(let count): logger.warning("events were not confirmed and stay in the outbox", metadata: ["count": "\(count)"])
    case .eventsLeftToRelay(let count): logger.info("events wait for older ones of their orders", metadata: ["count": "\(count)"])
    case .relayed(let count): logger.info("events of the outbox relayed", metadata: ["count": "\(count)"])
    }
  }
}
