import Application
import Domain
import Testing

/// What every store must do, run over memory and over PostgreSQL. Each call works on names of its own, so that all may run side by side.
package struct OrderStoreContract: Sendable {
  package let store: any OrderStore & Outbox & PaymentQueue
  /// Sets what is on hand of a product.
  package let setStock: @Sendable (ProductKey, Int64) async throws -> Void
  /// Levels of a product; nil where it is unknown.
  package let stock: @Sendable (ProductKey) async throws -> StockLevel?
  /// How many rows an order has in orders, history, audit, reservations and outbox, and how many claims name it.
  package let rows: @Sendable (OrderKey) async throws -> [String: Int]

  /// Lets time pass, where the store's does not by itself.
  let pass: @Sendable () -> Void

  let codec = PlainCodec()
  package static let terms = OrderTerms(payments: PaymentTerms(encoder: PlainCodec(), hasProvider: true, timeout: .seconds(10), giveUp: .seconds(600)))
  private let run = UInt64.random(in: 1...UInt64.max)

  package init(
    store: any OrderStore & Outbox & PaymentQueue, setStock: @escaping @Sendable (ProductKey, Int64) async throws -> Void,
    stock: @escaping @Sendable (ProductKey) async throws -> StockLevel?, rows: @escaping @Sendable (OrderKey) async throws -> [String: Int],
    pass: @escaping @Sendable () -> Void = {}
  ) {
    self.store = store
    self.setStock = setStock
    self.stock = stock
    self.rows = rows
    self.pass = pass
  }

  package func product(_ name: String) -> ProductKey { ProductKey(tenant: .standard, product: ProductID("\(name)-\(run)")!) }
  package func order(_ number: UInt64) -> OrderKey { OrderKey(tenant: .standard, order: OrderID(high: run, low: number)) }

  package func command(_ id: String, order number: UInt64, _ lines: [(ProductKey, Int64)], confirm: Bool = false) -> CommandEnvelope {
    let usd = Currency("USD")!
    let items = lines.map {
      OrderLine(product: $0.0.product, quantity: Quantity($0.1)!, unitPrice: Money(minorUnits: 250, currency: usd))!
    }
    let create = CreateOrder(
      order: order(number).order, choosesOrderID: true, customer: CustomerID("ann \"the\" first\u{1F600}")!, currency: usd, lines: items,
      paymentMethod: PaymentMethod("pm_ok"), confirm: confirm, metadata: [MetadataEntry(key: "a\"b\\c", value: "line\nbreak\u{7}é")])!
    return CommandEnvelope(
      identity: CommandIdentity(tenant: .standard, message: MessageID("\(id)-\(run)")!), principal: .anonymous, command: .create(create),
      fingerprint: Fingerprint([UInt8](repeating: UInt8(truncatingIfNeeded: number), count: 32)), data: [], correlationID: "correlation",
      replyTo: "reply.store", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", journey: Journey())
  }

  package func transact(_ commands: [CommandEnvelope], sent: [OutboxKey] = []) async throws -> BatchOutcome {
    try await transact(BatchDecider(commands: commands, encoder: codec, terms: Self.terms), sent: sent)
  }

  func transact(_ decider: BatchDecider, sent: [OutboxKey] = []) async throws -> BatchOutcome {
    while true {
      do {
        return try await store.transact(decider.keys, sent: sent) { decider.decide($0) }
      } catch {
        switch error {
        case .conflict, .blocked: break
        case .unavailable, .refused: throw error
        }
      }
    }
  }

  package func aBatchIsWrittenWhole() async throws {
    let (a, b) = (product("a"), product("b"))
    try await setStock(a, 10)
    try await setStock(b, 10)
    let outcome = try await transact([command("m1", order: 1, [(a, 2), (b, 3)]), command("m2", order: 2, [(a, 9)])])
    #expect(outcome.dispositions.map(\.word) == ["accepted", "out_of_stock"])
    #expect(try await stock(a) == StockLevel(onHand: 10, reserved: 2))
    #expect(try await stock(b) == StockLevel(onHand: 10, reserved: 3))
    #expect(try await rows(order(1)) == ["orders": 1, "history": 1, "audit": 1, "reservations": 1, "outbox": 1, "claims": 1])
    #expect(try await rows(order(2)) == ["orders": 1, "history": 1, "audit": 1, "reservations": 0, "outbox": 1, "claims": 1])
  }

  package func aClaimIsFoundAgainWithItsWholeResult() async throws {
    let a = product("a")
    try await setStock(a, 1)
    let commands = [command("m1", order: 1, [(a, 1)]), command("m2", order: 2, [(a, 1)])]
    let first = try await transact(commands)
    let second = try await transact(commands)
    #expect(second.dispositions.map(\.word) == ["duplicate", "duplicate"])
    #expect(second.dispositions.map(\.result) == first.dispositions.map(\.result))
    #expect(first.dispositions[1].result?.rejection?.details.first?.requested == 1)
    #expect(second.events.isEmpty && second.snapshots.isEmpty)
  }

  package func anOrderIsReadBackAsItWasWritten() async throws {
    let (a, b) = (product("a"), product("b"))
    try await setStock(a, 10)
    try await setStock(b, 10)
    _ = try await transact([command("m1", order: 1, [(b, 2), (a, 3)])])
    let decider = BatchDecider(commands: [command("m2", order: 1, [(a, 1)])], encoder: codec, terms: Self.terms)
    let (key, created) = (order(1), command("m1", order: 1, [(b, 2), (a, 3)]))
    let facts = try await store.transact(decider.keys, sent: []) { facts in (BatchWrites(), facts) }
    let found = try #require(facts.orders[key])
    guard case .create(let create) = created.command else { return }
    #expect(found.lines == create.lines && found.total == create.total && found.customer == create.customer)
    #expect(found.metadata == create.metadata && found.paymentMethod == create.paymentMethod)
    #expect(found.status == .pending && found.reservation == .held && found.paymentStatus == .none && found.version == 1)
    #expect(found.createdAt == found.updatedAt && found.createdAt <= facts.now)
    #expect(facts.unsent[key]?.map(\.version) == [1], "its event stands in the outbox")
  }

  package func update(_ id: String, order number: UInt64, to status: OrderStatus, expecting version: Int64? = nil, earlyTries: Int = 0) -> CommandEnvelope {
    CommandEnvelope(
      identity: CommandIdentity(tenant: .standard, message: MessageID("\(id)-\(run)")!), principal: .anonymous,
      command: .updateStatus(UpdateStatus(order: order(number).order, status: status, reason: "because", expectedVersion: version)),
      fingerprint: Fingerprint([UInt8](repeating: 7, count: 32)), data: [], correlationID: "correlation", replyTo: "reply.store", traceparent: nil,
      journey: Journey(earlyTries: earlyTries))
  }

  /// Updates of one batch build on each other and on its creates, and the stock that an order held is free again in the same transaction.
  package func updatesOfABatchBuildOnEachOther() async throws {
    let a = product("a")
    try await setStock(a, 10)
    let outcome = try await transact([command("m1", order: 1, [(a, 4)]), update("m2", order: 1, to: .cancelled), update("m3", order: 1, to: .cancelled)])
    #expect(outcome.dispositions.map(\.word) == ["accepted", "accepted", "illegal_transition"])
    #expect(outcome.events.map(\.event.type) == [.created, .cancelled, .commandRejected])
    #expect(try await stock(a) == StockLevel(onHand: 10, reserved: 0))
    #expect(try await rows(order(1)) == ["orders": 1, "history": 2, "audit": 3, "reservations": 1, "outbox": 3, "claims": 3])
  }

  package func anUpdateFindsWhatAnEarlierBatchWrote() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 4)])])
    let outcome = try await transact([update("m2", order: 1, to: .cancelled, expecting: 1), command("m3", order: 2, [(a, 10)])])
    #expect(outcome.dispositions.map(\.word) == ["accepted", "accepted"], "what is set free is there for the next")
    #expect(outcome.dispositions[0].result == CommandResult(order: order(1).order, status: .cancelled, version: 2))
    #expect(outcome.events[0].behind.map(\.version) == [1], "the first event still stands in the outbox")
    #expect(try await stock(a) == StockLevel(onHand: 10, reserved: 10))
    let again = try await transact([update("m4", order: 1, to: .confirmed, expecting: 1)])
    #expect(again.dispositions.map(\.word) == ["version_conflict"])
  }

  package func anUpdateBeforeItsOrderIsEarlyUntilItsTriesAreOver() async throws {
    let early = try await transact([update("m1", order: 9, to: .cancelled)])
    #expect(early.dispositions.map(\.word) == ["early"])
    #expect(try await rows(order(9))["claims"] == 0, "an early command leaves no claim on its id")
    let late = try await transact([update("m1", order: 9, to: .cancelled, earlyTries: 3)])
    #expect(late.dispositions.map(\.word) == ["not_found"])
    #expect(late.events.map(\.event.type) == [.commandRejected])
  }

  package func outboxRowsGoWithTheNextTransactionOrAlone() async throws {
    let a = product("a")
    try await setStock(a, 10)
    let first = try await transact([command("m1", order: 1, [(a, 1)])])
    let second = try await transact([command("m2", order: 2, [(a, 1)])], sent: first.events.map(\.event.key))
    #expect(try await rows(order(1))["outbox"] == 0)
    #expect(try await rows(order(2))["outbox"] == 1)
    try await store.forget(second.events.map(\.event.key))
    #expect(try await rows(order(2))["outbox"] == 0)
  }

  package func theRelayFindsWhatIsLeft() async throws {
    let a = product("a")
    try await setStock(a, 10)
    let outcome = try await transact([command("m1", order: 1, [(a, 1)])])
    let due = try await store.oldest(age: .zero, limit: 100_000).events.first { $0.key.order == order(1) }
    #expect(due == outcome.events[0].event)
    try await store.forget([outcome.events[0].event.key])
    let after = try await store.oldest(age: .zero, limit: 100_000).events
    #expect(!after.contains { $0.key.order == order(1) })
  }

  /// 64 writers for one product, and baskets and ids in opposite orders: never oversold, never stuck, each claimed once.
  package func manyWritersNeverOversell() async throws {
    let (a, b) = (product("a"), product("b"))
    try await setStock(a, 100)
    try await setStock(b, 1_000)
    let words = try await withThrowingTaskGroup(of: [String].self) { group in
      for writer in 0..<16 {
        group.addTask {
          let commands = (0..<10).map { i -> CommandEnvelope in
            let basket = (writer + i) % 2 == 0 ? [a, b] : [b, a]
            return command("m\(writer)-\(i)", order: UInt64(writer * 10 + i), basket.map { ($0, 1) })
          }
          return try await transact(writer % 2 == 0 ? commands : commands.reversed()).dispositions.map(\.word)
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(words.filter { $0 == "accepted" }.count == 100)
    #expect(words.filter { $0 == "out_of_stock" }.count == 60)
    #expect(try await stock(a) == StockLevel(onHand: 100, reserved: 100))
    #expect(try await stock(b)?.reserved == 100)
  }

  package func theSameBatchFromTwoWritersTakesEffectOnce() async throws {
    let a = product("a")
    try await setStock(a, 1_000)
    let commands = (0..<50).map { command("m\($0)", order: UInt64($0), [(a, 1)]) }
    let words = try await withThrowingTaskGroup(of: [String].self) { group in
      for writer in 0..<6 {
        group.addTask { try await transact(writer % 2 == 0 ? commands : commands.reversed()).dispositions.map(\.word) }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    #expect(words.filter { $0 == "accepted" }.count == 50)
    #expect(words.filter { $0 == "duplicate" }.count == 250)
    #expect(try await stock(a)?.reserved == 50)
  }

  package func onlyOneHoldsTheLease() async throws {
    let (one, other) = ("one-\(run)", "other-\(run)")
    try #require(await eventually { (try? await store.lease(holder: one, for: .seconds(30))) == true }, "the lease was never free")
    #expect(try await !store.lease(holder: other, for: .seconds(30)))
    #expect(try await store.lease(holder: one, for: .seconds(30)), "the holder keeps it")
    try await store.release(holder: other)
    #expect(try await !store.lease(holder: other, for: .seconds(30)), "another cannot give it back")
    try await store.release(holder: one)
    #expect(try await store.lease(holder: other, for: .seconds(30)))
    try await store.release(holder: other)
  }
}

extension Disposition {
  package var result: CommandResult? {
    switch self {
    case .decided(let result), .duplicate(let result): result
    case .awaitsPayment, .paymentOpen, .early, .deadLettered: nil
    }
  }

  package var word: String {
    switch self {
    case .decided(let result): result.rejection?.code.rawValue ?? "accepted"
    case .duplicate: "duplicate"
    case .awaitsPayment: "awaits payment"
    case .paymentOpen: "payment open"
    case .early: "early"
    case .deadLettered(let refusal): refusal.reason.rawValue
    }
  }
}
