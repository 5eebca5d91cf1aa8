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
  private let keeper: DeadLetterKeeper

  init(consumer: Consumer, database: PostgresClient, prefix: String, worker: String, logger: Logger) {
    let journal = LoggingDeadLetterJournal(logger: logger)
    keeper = DeadLetterKeeper(store: PostgresDeadLetterKeeping(client: database), holder: worker, journal: journal)
    ingestor = DeadLetterIngestor(
      source: RabbitMQCommandSource(consumer: consumer), codec: JSONDeadLetterCodec(commandsExchange: "\(prefix).commands"),
      store: PostgresDeadLetterStore(client: database), journal: journal, now: { .now })
  }

  /// Works until `drain` is called and what is in hand is done.
  func run() async {
    let keeping = Task { await keeper.run() }
    await ingestor.run()
    keeping.cancel()
    await keeping.value
  }
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
    case .settled(let count): logger.info("dead letters are settled: their commands were done", metadata: [LogKey.count: "\(count)"])
    case .takenBack(let count):
      logger.warning("dead letters are parked again: their replay was interrupted", metadata: [LogKey.count: "\(count)"])
    case .storeAvailable: logger.notice("the database is back: dead letters go on")
    }
  }
}
