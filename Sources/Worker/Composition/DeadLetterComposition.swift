import Application
import JSONAdapter
import Logging
import Operations
import PostgresAdapter
import PostgresClient
import RabbitMQAdapter
import RabbitMQClient

/// What comes to the dead letters' queue goes into the store, which is kept in order.
struct DeadLetterComposition: Sendable {
  private let ingestor: DeadLetterIngestor?
  private let keeper: DeadLetterKeeper
  private let stopped = Gate()

  /// Without a consumer the messages stay in the queue, and the store is looked after all the same.
  init(consumer: Consumer?, database: PostgresClient, settings: WorkerSettings, auth: AuthComposition, worker: String, logger: Logger) {
    let journal = LoggingDeadLetterJournal(logger: logger)
    keeper = DeadLetterKeeper(
      store: PostgresDeadLetterKeeping(client: database), holder: worker, journal: journal,
      settings: .init(retention: DeadLetterRetention(mostUnusable: settings.deadLetterKeep)))
    ingestor = consumer.map {
      DeadLetterIngestor(
        source: RabbitMQCommandSource(consumer: $0),
        codec: JSONDeadLetterCodec(commandsExchange: "\(settings.prefix).commands", seal: auth.seal, authenticator: auth.authenticator),
        store: PostgresDeadLetterStore(client: database), journal: journal, now: { .now })
    }
  }

  /// Works until `drain` is called and what is in hand is done.
  func run() async {
    let keeping = Task { await keeper.run() }
    await ingestor?.run()
    await stopped.wait()
    keeping.cancel()
    await keeping.value
  }

  func drain() async {
    await ingestor?.drain()
    stopped.open()
  }
}

/// Tells in the log what becomes of dead letters.
struct LoggingDeadLetterJournal: DeadLetterJournal {
  let logger: Logger

  func note(_ note: DeadLetterNote) {
    switch note {
    case .ingested(let count): logger.debug("dead letters moved into the store", metadata: [LogKey.count: .stringConvertible(count)])
    case .notIngested(let command, let error):
      logger.error("a dead letter cannot be stored and stays in its queue", metadata: LoggingJournal.metadata(command, error))
    case .storeUnavailable(let reason): logger.error("the database is away: dead letters stay in their queue", metadata: [LogKey.error: "\(reason)"])
    case .storeAvailable: logger.notice("the database is back: dead letters go on")
    case .settled(let count): logger.info("dead letters are settled: their commands were done", metadata: [LogKey.count: .stringConvertible(count)])
    case .takenBack(let count):
      logger.warning("dead letters are parked again: their replay was interrupted", metadata: [LogKey.count: .stringConvertible(count)])
    case .trimmed(let count): logger.info("dead letters whose time is over are removed", metadata: [LogKey.count: .stringConvertible(count)])
    }
  }
}
