import Application
import JSONAdapter
import Logging
import Operations
import PostgresAdapter
import PostgresClient
import RabbitMQAdapter
import RabbitMQClient

/// The role `dead-letters`: what comes to the queue goes into the store.
struct DeadLetterComposition: Sendable {
  private let ingestor: DeadLetterIngestor

  init(consumer: Consumer, database: PostgresClient, prefix: String, logger: Logger) {
    ingestor = DeadLetterIngestor(
      source: RabbitMQCommandSource(consumer: consumer), codec: JSONDeadLetterCodec(commandsExchange: "\(prefix).commands"),
      store: PostgresDeadLetterStore(client: database), journal: LoggingDeadLetterJournal(logger: logger), now: { .now })
  }

  /// Works until `drain` is called and what is in hand is done.
  func run() async { await ingestor.run() }
  func drain() async { await ingestor.drain() }
}

/// Tells in the log what becomes of dead letters.
struct LoggingDeadLetterJournal: DeadLetterJournal {
  let logger: Logger

  func note(_ note: DeadLetterNote) {
    switch note {
    case .ingested(let count): logger.debug("dead letters moved into the store", metadata: [LogKey.count: "\(count)"])
    case .notIngested(let messageID, let error):
      logger.error(
        "a dead letter cannot be stored and stays in its queue", metadata: [LogKey.messageID: "\(messageID ?? "")", LogKey.error: "\(error)"])
    case .storeUnavailable(let reason): logger.error("the database is away: dead letters stay in their queue", metadata: [LogKey.error: "\(reason)"])
    case .storeAvailable: logger.notice("the database is back: dead letters go on")
    }
  }
}
