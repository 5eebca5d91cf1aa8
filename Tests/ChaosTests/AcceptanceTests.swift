import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// Every command is published twice, shuffled, to three workers: nothing is lost and nothing is done twice, whoever dies meanwhile.
@Suite(.serialized) struct AcceptanceTests {
  /// 2,000 in the gate; `make acceptance` asks for 20,000.
  private static let orders = getenv("ACCEPTANCE_ORDERS").flatMap { Int(String(cString: $0)) } ?? 2_000
  private static let products = 100

  @Test func everyCommandIsDoneOnce() async throws { try await run(kills: 0) }

  @Test func everyCommandIsDoneOnceWhileWorkersAreKilled() async throws { try await run(kills: 10) }

  private func run(kills: Int) async throws {
    let world = try await ProductWorld.make()
    try await world.setStock(Dictionary(uniqueKeysWithValues: (0..<Self.products).map { ("p\($0)", 1_000_000) }))
    var random = SeededGenerator.forTest("acceptance with \(kills) kills")
    let orders = Self.orders
    let quantities = (0..<orders).map { ($0 % Self.products, Int64.random(in: 1...5, using: &random)) }
    let shuffled = (Array(0..<orders) + Array(0..<orders)).shuffled(using: &random)

    let ledger = Ledger()
    let (events, replies) = (try world.events(), try world.replies())
    let listening = await eventually { events.state.isConnected && replies.state.isConnected }
    #expect(listening)
    let following = Task { await ledger.follow(events: events) }
    let answering = Task { await ledger.follow(replies: replies) }
    var workers: [ServerProcess] = []
    for _ in 0..<3 { workers.append(await world.worker()) }

    let publisher = try world.publisher()
    let publishing = Task {
      var start = 0
      while start < shuffled.count {
        let batch = shuffled[start..<min(start + 500, shuffled.count)].map { i in
          world.publication(ProductWorld.create([(product: "p\(quantities[i].0)", quantity: quantities[i].1)]), id: "m\(i)")
        }
        ledger.confirmed(await publisher.publish(batch, deadline: .after(.seconds(60))))
        start += 500
        // Spread over the kills: some work is in hand whenever a worker dies.
        if kills > 0 { try? await Task.sleep(for: .milliseconds(8_000 * 500 / shuffled.count)) }
      }
    }
    for kill in 0..<kills {
      let reached = Int64(orders * (kill + 1) / (kills + 2))
      let inHand = try await eventually(within: .seconds(60)) { try await world.number("SELECT count(*) FROM processed_commands") >= reached }
      #expect(inHand, "kill \(kill) waits for \(reached) commands")
      let victim = Int.random(in: 0..<workers.count, using: &random)
      await workers[victim].end(SIGKILL)
      workers[victim] = await world.worker()
    }
    await publishing.value
    #expect(ledger.seen.confirmed == 2 * orders)

    let done = try await eventually(within: .seconds(120)) { try await isDone(world, ledger, orders) }
    let seen = ledger.seen
    #expect(done, "\(seen.created.count) orders with events, \(seen.replies.count) answered; log: \(world.log)")
    #expect(try await world.number("SELECT count(*) FROM processed_commands") == Int64(orders))
    #expect(try await world.number("SELECT count(*) FROM orders") == Int64(orders))
    #expect(try await world.number("SELECT count(*) FROM order_history") == Int64(orders))
    #expect(try await world.number("SELECT count(*) FROM audit_log") == Int64(orders))
    #expect(try await world.number("SELECT sum(reserved) FROM inventory") == quantities.reduce(0) { $0 + $1.1 })
    #expect(
      try await world.number(
        """
        SELECT count(*) FROM inventory v WHERE reserved <> coalesce((SELECT sum(quantity) FROM order_items i WHERE i.product_id = v.product_id), 0)
        """) == 0)
    #expect(seen.created.count == orders && seen.created.values.allSatisfy { $0.count == 1 }, "one event id for each order")
    #expect(seen.rejected == 0)
    #expect(seen.replies.count == orders && seen.replies.values.allSatisfy { !$0.isEmpty && $0.allSatisfy { $0 == "accepted" || $0 == "duplicate" } })
    if kills == 0 { #expect(seen.replies.values.allSatisfy { $0.sorted() == ["accepted", "duplicate"] }, "answered once each, and once as a duplicate") }
    let repliesCount = seen.replies.values.reduce(0) { $0 + $1.count }
    print("acceptance: \(orders) orders twice, \(kills) kills: \(seen.repeatedEvents) repeated events, \(repliesCount) replies")

    for worker in workers { await worker.end() }
    await publisher.close()
    await events.close()
    await replies.close()
    await following.value
    await answering.value
    try await world.remove()
  }

  private func isDone(_ world: ProductWorld, _ ledger: Ledger, _ orders: Int) async throws -> Bool {
    let seen = ledger.seen
    guard seen.created.count == orders, seen.replies.count == orders else { return false }
    for queue in ["commands", "retry.1s", "dead-letter"] where try await world.depth(queue) != 0 { return false }
    return try await world.number("SELECT count(*) FROM outbox") == 0
  }
}
