import Application
import Domain
import TestSupport

/// A pipeline over ports in memory, at work while `body` runs.
struct PipelineFixture: Sendable {
  let source = InMemorySource()
  let store: InMemoryOrderStore
  let broker: InMemoryBroker
  let trials: InMemoryTrialNotes
  let pipeline: CommandPipeline
  private let own = OwnCommands()
  private let executor: PaymentExecutor?

  /// With `provider` there is somebody to ask for payments.
  init(
    stock: [String: Int64] = ["p": 1_000_000], broker: InMemoryBroker = InMemoryBroker(), rungs: [RetryRung] = RetryRung.allCases,
    provider: (any PaymentProvider)? = nil, giveUp: Duration = .seconds(600), journal: any PipelineJournal = SilentJournal(),
    trials: InMemoryTrialNotes = InMemoryTrialNotes(), decoder: any CommandDecoder = PlainCodec(),
    tracer: RecordingTracer? = nil
  ) {
    store = InMemoryOrderStore(
      stock: Dictionary(uniqueKeysWithValues: stock.map { (ProductKey(tenant: .standard, product: ProductID($0.key)!), $0.value) }))
    self.broker = broker
    self.trials = trials
    let codec = PlainCodec(isTracing: tracer != nil)
    var calls = PaymentExecutor.Settings(deadline: .seconds(1), giveUp: giveUp)
    // The store's clock, which says what is due, is the test's.
    calls.poll = .milliseconds(5)
    executor = provider.map { [store, own, calls] in
      PaymentExecutor(queue: store, provider: $0, results: own, journal: journal, settings: calls)
    }
    let events: any EventPublisher =
      tracer.map { TracingEventPublisher(next: broker, tracer: $0, exchange: "orders.events", now: { Timestamp(microseconds: 0) }) } ?? broker
    pipeline = CommandPipeline(
      ports: .init(
        source: source, decoder: decoder, encoder: codec, store: store, events: events, forwarder: broker, replies: broker, cache: broker,
        journal: journal, trials: trials, own: own, tracer: tracer ?? NoTracing(), paymentsOpened: { [executor] in executor?.wake() }),
      settings: .init(
        batchMax: 100,
        terms: OrderTerms(payments: PaymentTerms(encoder: codec, hasProvider: provider != nil, timeout: .seconds(10), giveUp: giveUp)),
        retries: RetryPolicy(inPlace: [.milliseconds(1), .milliseconds(1), .milliseconds(1)], rungs: rungs),
        forwarding: Forwarding(prefix: "orders", worker: "w1", seal: codec) { _ in [] }, now: { Timestamp(microseconds: 0) }))
  }

  var housekeeper: Housekeeper { Housekeeper(store: store, commands: own, holder: "w1", settings: .init(reservationTTL: .seconds(900))) }

  /// Runs the pipeline beside `body`, then drains it.
  @discardableResult
  func run(_ body: @escaping @Sendable () async throws -> Void) async throws -> CommandPipeline.Report {
    try await withThrowingTaskGroup(of: CommandPipeline.Report?.self) { group in
      group.addTask {
        await pipeline.run()
        return pipeline.report
      }
      group.addTask {
        await executor?.run()
        if executor != nil { own.finish() }
        return nil
      }
      group.addTask {
        defer {
          source.stop()
          // What the executor has in hand is still to be decided.
          if let executor { executor.stop() } else { own.finish() }
        }
        try await body()
        return nil
      }
      var report: CommandPipeline.Report?
      for try await result in group { report = result ?? report }
      return report!
    }
  }

  var replies: [String: [String]] {
    Dictionary(grouping: broker.all.replies, by: { $0.correlationID ?? "" }).mapValues { $0.map { String(decoding: $0.body, as: UTF8.self) } }
  }

  static func order(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }

  static func create(_ id: String, order: UInt64, _ lines: [(String, Int64)] = [("p", 1)], pay: Bool = false, confirm: Bool = false) -> Message {
    Message(
      exchange: "orders.commands", routingKey: "order.create", type: "order.create", messageID: id, correlationID: id, replyTo: "reply.test",
      headers: [MessageHeader("authorization", .string("Bearer secret")), MessageHeader("mine", .string("kept"))],
      body: PlainCodec.body(order: Self.order(order), lines, pay: pay, confirm: confirm))
  }

  static func confirmedCreate(_ id: String, order: UInt64) -> Message { create(id, order: order, pay: true, confirm: true) }

  static func update(_ id: String, order: UInt64, to status: OrderStatus) -> Message {
    var message = create(id, order: order)
    message.type = "order.update_status"
    message.body = Array("\(Self.order(order)) \(status.rawValue)".utf8)
    return message
  }
}
