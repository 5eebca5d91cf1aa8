import Application
import Domain
import TestSupport
import Testing

@Suite struct QueryServiceTests {
  private let source = InMemorySource()
  private let broker = InMemoryBroker()
  private let store = InMemoryOrderStore(stock: [ProductKey(tenant: .standard, product: ProductID("p")!): 100])

  /// Queries as `subject role … / get|history|list …`; answers in words.
  private struct WordCodec: QueryCodec {
    func decode(_ received: ReceivedMessage) -> DecodedQuery {
      let message = received.message
      guard let to = message.replyTo else { return .unanswerable }
      let parts = String(decoding: message.body, as: UTF8.self).split(separator: "/").map { $0.split(separator: " ").map(String.init) }
      let principal = Principal(subject: parts[0][0], roles: Set(parts[0].dropFirst().compactMap(Role.init)), tenant: .standard)
      let words = parts[1]
      let query: Query =
        switch words[0] {
        case "get": .get(OrderID(words[1])!, minVersion: words.count > 2 ? Int64(words[2]) : nil)
        case "history": .history(OrderID(words[1])!)
        default: .list(OrderFilter(customer: CustomerID(words[1])!, status: nil), limit: 2, after: nil)
        }
      return .query(QueryEnvelope(query: query, principal: principal, address: ReplyAddress(to: to, correlationID: message.correlationID)))
    }

    func keysLookedAt() async {}
    func order(_ order: Order) -> [UInt8] { PlainCodec().order(order) }

    func reply(_ answer: QueryAnswer, to envelope: QueryEnvelope?) -> [UInt8] {
      switch answer {
      case .order(let json): json
      case .orders(let orders, let next): Array("\(orders.count) orders\(next == nil ? "" : ", more")".utf8)
      case .history(let entries): Array(entries.map { "\($0.version)" }.joined(separator: ",").utf8)
      case .refused(let refusal): Array(refusal.code.rawValue.utf8)
      }
    }
  }

  private func create(_ numbers: ClosedRange<UInt64>) async throws {
    let codec = PlainCodec()
    for number in numbers {
      let message = PipelineFixture.create("m\(number)", order: number)
      guard case .command(let command) = codec.decode(ReceivedMessage(tag: DeliveryTag(generation: 1, number: 1), redelivered: false, message: message)) else {
        Issue.record("the test's command is unreadable")
        return
      }
      let decider = BatchDecider(commands: [command], encoder: codec, terms: OrderStoreContract.terms)
      _ = try await store.transact(decider.keys, sent: []) { decider.decide($0) }
    }
  }

  /// What these are answered, in their order.
  private func ask(_ queries: String..., replyTo: String? = "reply.q") async -> [String] {
    let service = QueryService(source: source, codec: WordCodec(), reader: store, cache: broker, replies: broker)
    source.deliver(
      queries.enumerated().map {
        Message(exchange: "orders.queries", routingKey: "q", correlationID: "\($0.offset)", replyTo: replyTo, body: Array($0.element.utf8))
      })
    source.stop()
    await service.run()
    let answers = broker.all.replies
    return queries.indices.map { index in answers.last { $0.correlationID == "\(index)" }.map { String(decoding: $0.body, as: UTF8.self) } ?? "nothing" }
  }

  private static let one = PipelineFixture.order(1)

  @Test(arguments: [
    ("ann service", "get"), ("ann viewer", "get"), ("ann operator", "get"), ("customer customer", "get"), ("customer customer viewer", "get"),
  ])
  func whoMayReadAnOrderReadsIt(who: String, _: String) async throws {
    try await create(1...1)
    #expect(
      await ask("\(who)/get \(Self.one)", "\(who)/history \(Self.one)", "\(who)/list customer") == ["\(Self.one) pending 1", "1", "1 orders"])
  }

  @Test func anothersOrderIsNotThereAndAnothersListIsForbidden() async throws {
    try await create(1...1)
    // Whether it is cached or not.
    _ = await broker.store([Snapshot(key: OrderKey(tenant: .standard, order: Self.one), version: 1, json: Array("cached".utf8))])
    #expect(
      await ask("eve customer/get \(Self.one)", "eve customer/history \(Self.one)", "eve customer/list customer") == ["not_found", "not_found", "forbidden"])
    #expect(await ask("nobody/get \(Self.one)", "nobody/list nobody") == ["forbidden", "forbidden"])
  }

  @Test func theCacheIsAskedFirstAndOnlyAsFarAsItKnows() async throws {
    try await create(1...1)
    await broker.store([Snapshot(key: OrderKey(tenant: .standard, order: Self.one), version: 0, json: Array("cached".utf8))])
    let service = "s service/get \(Self.one)"
    #expect(await ask(service, "\(service) 1", "\(service) 2") == ["cached", "\(Self.one) pending 1", "not_yet"])
    #expect(broker.all.snapshots.values.map(\.version) == [1], "what was read is cached")
  }

  @Test func aDatabaseThatIsAwayIsSaidAndWhatIsCachedIsStillAnswered() async throws {
    try await create(1...2)
    await broker.store([Snapshot(key: OrderKey(tenant: .standard, order: Self.one), version: 1, json: Array("cached".utf8))])
    store.setFault { _, _ in .unavailable("away") }
    #expect(await ask("s service/get \(Self.one)", "s service/get \(PipelineFixture.order(2))") == ["cached", "unavailable"])
  }

  @Test func aListEndsItsPageAndWhoAsksForNoAnswerGetsNone() async throws {
    try await create(1...3)
    #expect(await ask("s service/list customer") == ["2 orders, more"])
    let before = broker.all.replies.count
    _ = await ask("s service/list customer", replyTo: nil)
    #expect(broker.all.replies.count == before)
    #expect(source.hasAcknowledged(upTo: 2), "every query is acknowledged")
  }
}
