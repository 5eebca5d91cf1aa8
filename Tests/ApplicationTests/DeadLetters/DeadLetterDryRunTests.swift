import Application
import Domain
import Synchronization
import TestSupport
import Testing

@Suite struct DeadLetterDryRunTests {
  private struct BodyCodec: DeadLetterCodec {
    func read(_ received: ReceivedMessage, at now: Timestamp) -> DeadLetterArrival { preconditionFailure("nothing is read here") }
    func replay(_ letter: DeadLetter, body: [UInt8], under principal: Principal, mark: ReplayMark) -> ReplayMessage {
      ReplayMessage(message: Message(exchange: "orders.commands", routingKey: "", messageID: letter.commandID, body: body), mark: nil)
    }
  }

  private struct NoForwarder: MessageForwarder {
    func forward(_ messages: [Message]) async -> [ForwardOutcome] { preconditionFailure("a dry run publishes nothing") }
  }

  private let codec = PlainCodec()
  private let orders = InMemoryOrderStore(stock: [ProductKey(tenant: .standard, product: ProductID("p")!): 5])
  private let letters = InMemoryDeadLetterStore()

  private static func order(_ number: UInt64) -> OrderID { OrderID(high: 0, low: number) }
  private static func create(_ number: UInt64, _ quantity: Int64 = 1) -> [UInt8] { PlainCodec.body(order: order(number), [("p", quantity)]) }
  private static func update(_ number: UInt64, to status: OrderStatus) -> [UInt8] { Array("\(order(number)) \(status.rawValue)".utf8) }

  private func envelope(_ id: String, _ body: [UInt8]) throws -> CommandEnvelope {
    let received = ReceivedMessage(
      tag: DeliveryTag(generation: 1, number: 1), redelivered: false, message: Message(exchange: "", routingKey: "", messageID: id, body: body))
    guard case .command(let envelope) = codec.decode(received) else { throw CancellationError() }
    return envelope
  }

  /// What workers have done before.
  private func apply(_ id: String, _ body: [UInt8]) async throws {
    let terms = OrderTerms(payments: PaymentTerms(encoder: codec, hasProvider: true, timeout: .seconds(10), giveUp: .seconds(600)))
    let decider = BatchDecider(commands: [try envelope(id, body)], encoder: codec, terms: terms)
    _ = try await orders.transact(decider.keys, sent: []) { decider.decide($0) }
  }

  /// Order 1 is pending, 2 cancelled, 3 confirmed with its payment open.
  private func judge(_ bodies: [(id: String, body: [UInt8])]) async throws -> [String: ReplayVerdict] {
    try await apply("c1", Self.create(1))
    try await apply("c2", Self.create(2))
    try await apply("u2", Self.update(2, to: .cancelled))
    try await apply("c3", PlainCodec.body(order: Self.order(3), [("p", 1)], pay: true, confirm: true))
    let contract = DeadLetterStoreContract(letters)
    for (number, item) in bodies.enumerated() {
      var letter = contract.letter(UInt64(number + 1), after: number)
      letter.messageID = item.id
      letter.body = item.body
      letter.bodySize = item.body.count
      try await letters.ingest([DeadLetterArrival(letter: letter, isDated: true)])
    }
    let before = (orders.snapshot, letters.all)
    let now = DeadLetterStoreContract.start + .seconds(1_000)
    let ids = Dictionary(uniqueKeysWithValues: letters.all.map { ($0.key, $0.messageID!) })
    let verdicts = Mutex<[String: ReplayVerdict]>([:])
    let dryRun = DeadLetterDryRun(
      replay: DeadLetterReplay(ports: .init(store: letters, codec: BodyCodec(), forwarder: NoForwarder(), now: { now }), settings: .init(actor: "cli:olga")),
      decoder: codec, encoder: codec, orders: orders,
      terms: OrderTerms(payments: PaymentTerms(encoder: codec, hasProvider: true, timeout: .seconds(10), giveUp: .seconds(600)))
    ) { key, verdict, _ in verdicts.withLock { $0[ids[key]!] = verdict } }
    let counts = try await dryRun.run(DeadLetterSelection(DeadLetterFilter(), tenant: contract.tenant, store: letters))
    let judged = verdicts.withLock { $0 }
    #expect(counts == judged.values.reduce(into: [:]) { $0[$1, default: 0] += 1 })
    #expect(orders.snapshot.orders == before.0.orders && orders.snapshot.claims == before.0.claims && orders.snapshot.outbox == before.0.outbox)
    #expect(letters.all == before.1)
    return judged
  }

  @Test func eachIsJudgedByItsOrderAsItIsNow() async throws {
    let verdicts = try await judge([
      ("new", Self.create(9)), ("short", Self.create(9, 100)), ("c1", Self.create(1)), ("other", Self.create(1)), ("c2", Self.create(2, 2)),
      ("cancel1", Self.update(1, to: .cancelled)), ("cancel2", Self.update(2, to: .cancelled)), ("confirm2", Self.update(2, to: .confirmed)),
      ("ship1", Self.update(1, to: .shipped)), ("nowhere", Self.update(77, to: .cancelled)), ("cancel3", Self.update(3, to: .cancelled)),
      ("c3", PlainCodec.body(order: Self.order(3), [("p", 1)], pay: true, confirm: true)), ("unreadable", Array("x".utf8)),
    ])
    #expect(
      verdicts == [
        "new": .applies, "short": .illegal, "c1": .alreadyApplied, "other": .superseded, "c2": .illegal, "cancel1": .applies,
        "cancel2": .alreadyApplied, "confirm2": .superseded, "ship1": .illegal, "nowhere": .illegal, "cancel3": .applies, "c3": .alreadyApplied,
        "unreadable": .illegal,
      ])
  }

  @Test func whatASizeOfStockAllowsOneAllowsEach() async throws {
    // Two are left: each alone may have them.
    #expect(try await judge([("a", Self.create(11, 2)), ("b", Self.create(12, 2))]) == ["a": .applies, "b": .applies])
  }

  @Test(arguments: OrderStatus.allCases) func aStatusLeadsWhereTheTableSaysItMayComeLater(from: OrderStatus) {
    let expected: [OrderStatus: Set<OrderStatus>] = [
      .pending: Set(OrderStatus.allCases).subtracting([.pending, .rejected]),
      .confirmed: [.confirmed, .processing, .onHold, .shipped, .delivered, .cancelled],
      .onHold: [.confirmed, .processing, .onHold, .shipped, .delivered, .cancelled],
      .processing: [.confirmed, .processing, .onHold, .shipped, .delivered, .cancelled], .shipped: [.delivered],
    ]
    #expect(Set(OrderStatus.allCases.filter { TransitionTable.leads(from: from, to: $0) }) == expected[from] ?? [])
  }
}
