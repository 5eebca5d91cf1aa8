import Application
import ClientRuntime
import Domain
import Glibc
import HTTPPaymentAdapter
import JSONAdapter
import Logging
import OTLPAdapter
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
  private let own = OwnCommands()
  private let payments: PaymentComposition?
  private let executor: PaymentExecutor?
  private let relay: OutboxRelay?
  private let housekeeper: Housekeeper?
  private let backlog: BacklogWatch
  private let queueWatch: QueueWatch
  private let latencies: LatencyWatch
  private let tracer: OTLPTracer?
  private let queries: QueryService?
  private let deadLetters: DeadLetterComposition?
  private let commands: Consumer?
  private let consumers: [Consumer]
  private let publishers: [Publisher]
  private let databases: [PostgresClient]
  private let redis: RedisClient?
  private let auth: AuthComposition

  /// Connects nothing yet that could fail: each client goes on trying by itself, and tells `health` where it stands.
  init(_ settings: WorkerSettings, auth: AuthComposition, logger: Logger, health: HealthRegistry, metrics: WorkerMetrics) throws {
    let worker = "\(Self.hostName()):\(getpid())"
    var databases: [PostgresClient] = []
    func database(_ purpose: String, as role: DatabaseRole) throws -> PostgresClient {
      let client = try Self.database(settings, purpose, role) { health.set("postgres/\(purpose)", $0) }
      databases.append(client)
      return client
    }
    func amqp(_ purpose: String) throws -> ConnectionConfiguration {
      try ConnectionConfiguration(url: settings.amqpURL, name: "order-worker \(purpose) \(worker)")
    }
    let traces = try Self.tracer(settings, worker: worker, logger, metrics)
    tracer = traces
    let tracing: any Tracer = traces ?? NoTracing()
    let journal = MeteringJournal(next: LoggingJournal(logger: logger), metrics: metrics)
    let redis = try settings.redisURL.map { url in
      RedisClient(configuration: try RedisConfiguration(url: url)) { health.set("redis", $0) }
    }
    let cache: any SnapshotCache =
      redis.map { RedisSnapshotCache(client: $0, prefix: settings.redisPrefix, ttl: settings.cacheTTL) } ?? NoSnapshotCache()
    let events = Publisher(configuration: try amqp("events")) { health.set("rabbitmq/events", $0) }
    // Not those of the events: a subscriber's queue that is in trouble holds up the channel that publishes to it, and retries must not wait for that.
    let forwards = Publisher(configuration: try amqp("forwards")) { health.set("rabbitmq/forwards", $0) }
    let replyPublisher = Publisher(configuration: try amqp("replies"), confirms: false) { health.set("rabbitmq/replies", $0) }
    let replies = RabbitMQReplySender(publisher: replyPublisher)
    let exchange = "\(settings.prefix).events"
    let plain = RabbitMQEventPublisher(publisher: events, exchange: exchange)
    let eventPublisher: any EventPublisher = traces.map { TracingEventPublisher(next: plain, tracer: $0, exchange: exchange, now: { .now }) } ?? plain

    let payments = try PaymentComposition.make(settings, health: health, log: logger, observer: MeteringAdapterObserver(metrics: metrics), tracer: tracing)
    if settings.roles.contains(.payments), let payments {
      executor = PaymentExecutor(
        queue: PostgresPaymentQueue(client: try database("payments", as: .system)), provider: payments.provider, results: own,
        journal: journal, settings: .init(deadline: settings.paymentTimeout, giveUp: settings.paymentGiveUp, concurrency: PaymentComposition.concurrency))
    } else {
      executor = nil
    }
    self.payments = payments

    func consumer(of queue: String, prefetch: UInt16) throws -> Consumer {
      Consumer(configuration: try amqp(queue), subscription: .queue("\(settings.prefix).\(queue)"), prefetch: prefetch) {
        health.set("rabbitmq/\(queue)", $0)
      }
    }
    commands = settings.roles.contains(.commands) ? try consumer(of: "commands", prefetch: settings.prefetch) : nil
    let asked = settings.roles.contains(.queries) ? try consumer(of: "queries", prefetch: 400) : nil
    let dead = settings.roles.contains(.deadLetters) ? try consumer(of: "dead-letter", prefetch: 100) : nil
    consumers = [commands, asked, dead].compactMap(\.self)
    let replyTo = ReplyToPolicy(patterns: settings.replyToAllow, ownPrefix: settings.prefix)
    queries = try asked.map { consumer in
      QueryService(
        source: RabbitMQCommandSource(consumer: consumer),
        codec: JSONQueryCodec(exchange: "\(settings.prefix).queries", replyTo: replyTo, authenticator: auth.authenticator),
        reader: PostgresOrderReader(client: try database("queries", as: .tenants)), cache: MeteredCache(next: cache, metrics: metrics), replies: replies)
    }
    // What looks every second or more seldom shares a connection.
    let quiet = try database("outbox", as: .system)
    // Results of payments and expiries need the pipeline too.
    if !settings.roles.isDisjoint(with: [.commands, .payments, .housekeeping]) {
      pipeline = CommandPipeline(
        ports: .init(
          source: commands.map { RabbitMQCommandSource(consumer: $0) } ?? IdleCommandSource(),
          decoder: JSONCommandDecoder(
            commandsExchange: "\(settings.prefix).commands", defaultCurrency: settings.defaultCurrency,
            replyTo: replyTo, seal: auth.seal, authenticator: auth.authenticator),
          encoder: JSONMessageEncoder(isTracing: traces != nil), store: PostgresOrderStore(client: try database("commands", as: .tenants)),
          events: eventPublisher,
          forwarder: RabbitMQForwarder(publisher: forwards), replies: replies, cache: cache, journal: journal,
          trials: PostgresTrialNotes(client: quiet), own: own, tracer: tracing, paymentsOpened: { [executor] in executor?.wake() }),
        settings: .init(
          batchMax: settings.batchMax, terms: Self.terms(settings, payments), retries: RetryPolicy(rungs: settings.retryRungs),
          forwarding: Forwarding(prefix: settings.prefix, worker: worker, seal: auth.seal, bodyHash: { Fingerprint(of: $0).bytes }), now: { .now }))
    } else {
      pipeline = nil
    }

    let backlog = BacklogWatch(PostgresBacklog(client: quiet))
    let topology = Topology(prefix: settings.prefix)
    queueWatch = QueueWatch(try amqp("queues"), topology: topology, health: health)
    metrics.add(backlog.gauges() + queueWatch.gauges())
    metrics.begin(defaultCurrency: settings.defaultCurrency, hasCache: redis != nil)
    self.backlog = backlog
    latencies = LatencyWatch(health: health, postgres: quiet, redis: redis)
    deadLetters =
      settings.roles.isDisjoint(with: [.deadLetters, .housekeeping])
      ? nil
      : DeadLetterComposition(
        consumer: dead, database: dead == nil ? quiet : try database("dead-letters", as: .system), settings: settings, auth: auth, worker: worker,
        logger: logger)
    relay =
      settings.roles.contains(.outbox)
      ? OutboxRelay(
        outbox: PostgresOutbox(client: quiet), events: eventPublisher, replies: replies, cache: cache, journal: journal, holder: worker)
      : nil
    housekeeper =
      settings.roles.contains(.housekeeping)
      ? Housekeeper(store: PostgresHousekeeping(client: quiet), commands: own, holder: worker, settings: .init(reservationTTL: settings.reservationTTL))
      : nil
    publishers = [events, forwards, replyPublisher]
    self.databases = databases
    self.redis = redis
    self.auth = auth
  }

  /// Of the commands, at any time.
  var report: CommandPipeline.Report {
    var report = pipeline?.report ?? .init()
    report.unsettled += commands?.waiting ?? 0
    return report
  }

  /// Works until `drain` is called and what is in hand is done; its report says what goes back.
  func run() async {
    await auth.fetchKeys()
    let relaying = Task { await relay?.run() }
    let housekeeping = Task { await housekeeper?.run() }
    let watching = Task { await backlog.run() }
    let measuring = Task { await latencies.run() }
    let lookingAtQueues = Task { await queueWatch.run() }
    let tracing = Task { await tracer?.run() }
    let answering = Task { await queries?.run() }
    let keeping = Task { await deadLetters?.run() }
    let paying = Task { await executor?.run() }
    let fetchingKeys = Task { await auth.run() }
    let feeding = Task {
      await stopped.wait()
      // Calls under way end, and their results are committed: the pipeline takes the worker's own commands until then.
      housekeeping.cancel()
      executor?.stop()
      await paying.value
      await housekeeping.value
      own.finish()
    }
    await pipeline?.run()
    await feeding.value
    await answering.value
    await keeping.value
    watching.cancel()
    measuring.cancel()
    queueWatch.stop(lookingAtQueues)
    relaying.cancel()
    fetchingKeys.cancel()
    await fetchingKeys.value
    await auth.close()
    await relaying.value
    await watching.value
    await measuring.value
    // Nothing traces any more.
    tracer?.stop()
    await tracing.value
    await tracer?.close()
    await payments?.close()
    // All at once: a server that no longer answers costs each of its connections some seconds.
    await withDiscardingTaskGroup { group in
      for consumer in consumers {
        group.addTask {
          await consumer.flush()
          await consumer.close()
        }
      }
      for publisher in publishers { group.addTask { await publisher.close() } }
      for database in databases { group.addTask { await database.close() } }
      group.addTask { [redis] in await redis?.close() }
      group.addTask { [queueWatch] in if queueWatch.isConnected { await lookingAtQueues.value } }
    }
  }

  /// Takes no more work; `run` returns when what is in hand is done.
  func drain() async {
    stopped.open()
    // At once: each may have to wait for a broker that answers slowly.
    async let answering: Void? = queries?.drain()
    async let keeping: Void? = deadLetters?.drain()
    await pipeline?.drain()
    _ = await (answering, keeping)
  }

  private static func tracer(_ settings: WorkerSettings, worker: String, _ logger: Logger, _ metrics: WorkerMetrics) throws -> OTLPTracer? {
    guard let endpoint = settings.otlpEndpoint else { return nil }
    let tracer = OTLPTracer(
      endpoint: endpoint, headers: try TraceRules.headers(settings.otlpHeaders),
      resource: ["service.name": "order-worker", "service.version": ProgramVersion.text, "service.instance.id": worker],
      settings: .init(share: settings.traceShare), log: logger)
    metrics.add([
      ReadCounter("orders_traces_exported_total", "Spans that the collector took.") { Double(tracer.counts.exported) },
      ReadCounter("orders_traces_dropped_total", "Spans that there was no room for, or that the collector did not take.") { Double(tracer.counts.dropped) },
    ])
    return tracer
  }

  /// Without a provider what still has to be voided waits, in the form of the one there may be later.
  private static func terms(_ settings: WorkerSettings, _ payments: PaymentComposition?) -> OrderTerms {
    OrderTerms(
      payments: PaymentTerms(
        encoder: payments?.encoder ?? HTTPPaymentCallEncoder(), hasProvider: payments != nil, timeout: settings.paymentTimeout,
        giveUp: settings.paymentGiveUp),
      reservationTTL: settings.reservationTTL)
  }

  private static func database(
    _ settings: WorkerSettings, _ purpose: String, _ role: DatabaseRole, onState: @escaping @Sendable (ConnectionState) -> Void
  ) throws -> PostgresClient {
    // Statistics lag behind tables that fill as fast as these: without the first three, a plan made on an empty table reads all of it later.
    let planner = ["enable_seqscan=off", "enable_hashjoin=off", "enable_mergejoin=off", "plan_cache_mode=force_generic_plan", "jit=off"]
    let sessions = planner + [SetupDatabase.durable]
    let configuration = try PostgresConfiguration(
      url: settings.databaseURL, applicationName: "order-worker \(purpose)", schema: settings.schema,
      role: role.name(schema: settings.schema), settings: sessions)
    return PostgresClient(configuration: configuration, onState: onState)
  }

  private let stopped = Gate()

  private static func hostName() -> String {
    var name = [CChar](repeating: 0, count: 256)
    gethostname(&name, 255)
    return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
  }
}
