import Application
import ClientRuntime
import Domain
import Glibc
import JSONAdapter
import Logging
import Operations
import PostgresAdapter
import PostgresClient
import RabbitMQAdapter
import RabbitMQClient
import RedisAdapter
import RedisClient

/// The one place that puts the parts together.
final class WorkerComposition: Sendable {
  private let pipeline: CommandPipeline?
  private let relay: OutboxRelay?
  private let consumer: Consumer?
  private let publishers: [Publisher]
  private let databases: [PostgresClient]
  private let redis: RedisClient?

  /// Connects nothing yet that could fail: each client goes on trying by itself, and tells `health` where it stands.
  init(_ settings: WorkerSettings, logger: Logger, health: @escaping @Sendable (_ dependency: String, ConnectionState) -> Void) throws {
    let worker = "\(Self.hostName()):\(getpid())"
    func amqp(_ purpose: String) throws -> ConnectionConfiguration {
      try ConnectionConfiguration(url: settings.amqpURL, name: "order-worker \(purpose) \(worker)")
    }
    func database(_ purpose: String) throws -> PostgresClient {
      // Statistics lag behind tables that fill as fast as these: without the first three, a plan made on an empty table reads all of it later.
      let planner = ["enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off", "plan_cache_mode=force_generic_plan", "jit=off"]
      let configuration = try PostgresConfiguration(
        url: settings.databaseURL, applicationName: "order-worker \(purpose)", schema: settings.schema, settings: planner)
      return PostgresClient(configuration: configuration) { health("postgres/\(purpose)", $0) }
    }
    let journal = LoggingJournal(logger: logger)
    let seal = UnsignedJourneySeal()
    let encoder = JSONMessageEncoder()
    let redis = try settings.redisURL.map { url in
      RedisClient(configuration: try RedisConfiguration(url: url)) { health("redis", $0) }
    }
    let cache: any SnapshotCache =
      redis.map { RedisSnapshotCache(client: $0, prefix: settings.redisPrefix, ttl: settings.cacheTTL) } ?? NoSnapshotCache()
    let events = Publisher(configuration: try amqp("events")) { health("rabbitmq/events", $0) }
    let replyPublisher = Publisher(configuration: try amqp("replies"), confirms: false) { health("rabbitmq/replies", $0) }
    let replies = RabbitMQReplySender(publisher: replyPublisher)
    let eventPublisher = RabbitMQEventPublisher(publisher: events, exchange: "\(settings.prefix).events")
    var databases: [PostgresClient] = []

    if settings.roles.contains(.commands) {
      let orders = try database("commands")
      databases.append(orders)
      let consumer = Consumer(
        configuration: try amqp("commands"), subscription: .queue("\(settings.prefix).commands"), prefetch: settings.prefetch
      ) { health("rabbitmq/commands", $0) }
      self.consumer = consumer
      pipeline = CommandPipeline(
        ports: .init(
          source: RabbitMQCommandSource(consumer: consumer),
          decoder: JSONCommandDecoder(
            commandsExchange: "\(settings.prefix).commands", defaultCurrency: settings.defaultCurrency,
            replyTo: ReplyToPolicy(patterns: settings.replyToAllow, ownPrefix: settings.prefix), seal: seal),
          encoder: encoder, store: PostgresOrderStore(client: orders), events: eventPublisher, forwarder: RabbitMQForwarder(publisher: events),
          replies: replies, cache: cache, journal: journal),
        settings: .init(
          batchMax: settings.batchMax, retries: RetryPolicy(rungs: settings.retryRungs),
          forwarding: Forwarding(prefix: settings.prefix, worker: worker, seal: seal, bodyHash: { Fingerprint(of: $0).bytes }), now: { .now }))
    } else {
      consumer = nil
      pipeline = nil
    }
    if settings.roles.contains(.outbox) {
      let outbox = try database("outbox")
      databases.append(outbox)
      relay = OutboxRelay(outbox: PostgresOutbox(client: outbox), events: eventPublisher, cache: cache, journal: journal, holder: worker)
    } else {
      relay = nil
    }
    publishers = [events, replyPublisher]
    self.databases = databases
    self.redis = redis
  }

  /// Works until `drain` is called and what is in hand is done.
  func run() async -> CommandPipeline.Report {
    let relaying = relay.map { relay in Task { await relay.run() } }
    var report = CommandPipeline.Report()
    if let pipeline {
      report = await pipeline.run()
    } else {
      await stopped.wait()
    }
    relaying?.cancel()
    await relaying?.value
    await consumer?.flush()
    await consumer?.close()
    for publisher in publishers { await publisher.close() }
    for database in databases { await database.close() }
    await redis?.close()
    return report
  }

  /// Takes no more work; `run` returns when what is in hand is done.
  func drain() async {
    await pipeline?.drain()
    stopped.open()
  }

  private let stopped = Gate()

  private static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
