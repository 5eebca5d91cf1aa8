import ClientRuntime
import RabbitMQClient
import TestSupport
import Testing

/// Many want the same rows at the same time: stock goes exactly once, and whoever waits for whom, every command is done.
@Suite(.serialized) struct ContentionTests {
  @Test(.timeLimit(.minutes(5))) func aHundredUnitsGoToAHundredOfSixtyFourPublishersOrders() async throws {
    let (stock, publishers, each) = (100, 64, 10)
    let world = try await ProductWorld.make()
    try await world.setStock(["scarce": Int64(stock)])
    let crew = WorkerCrew(world)
    try #require(await crew.start(3), "\(world.logTail())")
    let book = ReplyBook()
    let replies = try await listening(world, book)
    // 64 at once, each of which waits for its confirm before its next order, over 8 connections.
    let connections = try (0..<8).map { _ in try world.publisher() }
    let confirmed = await withTaskGroup(of: Int.self) { group in
      for publisher in 0..<publishers {
        group.addTask {
          var confirmed = 0
          for order in 0..<each {
            let command = world.publication(ProductWorld.create([(product: "scarce", quantity: 1)]), id: "\(publisher)-\(order)")
            if await connections[publisher % 8].publish([command], deadline: .after(.seconds(60))) == [.confirmed] { confirmed += 1 }
          }
          return confirmed
        }
      }
      return await group.reduce(0, +)
    }
    #expect(confirmed == publishers * each)
    let answered = await eventually(within: .seconds(60)) { book.count >= publishers * each }
    #expect(answered, "\(book.count) replies to \(publishers * each) commands\n\(world.logTail())")
    let all = book.all
    #expect(book.byMessage.count == publishers * each && all.count == publishers * each)
    #expect(all.count { $0.outcome == "accepted" } == stock)
    let rejected = all.filter { $0.outcome == "rejected" }
    #expect(rejected.count == publishers * each - stock)
    #expect(rejected.allSatisfy { $0.status == "rejected" && $0.error?.code == "out_of_stock" })
    #expect(rejected.allSatisfy { $0.error?.details.map(\.code) == ["out_of_stock"] && $0.error?.details.first?.requested == 1 })
    #expect(rejected.allSatisfy { $0.error?.details.first?.available == 0 })
    #expect(try await world.stock() == ["scarce": .init(onHand: Int64(stock), reserved: Int64(stock))])
    #expect(try await world.number("SELECT count(*) FROM orders WHERE status = 'pending'") == stock)
    #expect(try await world.number("SELECT count(*) FROM orders WHERE status = 'rejected'") == rejected.count)
    try await end(world, crew, replies, connections)
  }

  @Test(.timeLimit(.minutes(5))) func basketsAndIdsInOppositeOrdersAreAllDone() async throws {
    let (rounds, each) = (10, 150)
    let world = try await ProductWorld.make(["ORDERS_PREFETCH": "\(2 * each)"])
    let products = (0..<10).map { "p\($0)" }
    try await world.setStock(Dictionary(uniqueKeysWithValues: products.map { ($0, 1_000_000) }))
    let crew = WorkerCrew(world)
    try #require(await crew.start(2), "\(world.logTail())")
    let book = ReplyBook()
    let replies = try await listening(world, book)
    let publisher = try world.publisher()
    for round in 0..<rounds {
      // Both get their share while they are frozen, by turns: one the ids from the first on, the other the same ids from the last on.
      await crew.freeze()
      let turns = (0..<each).flatMap { [$0, each - 1 - $0] }
      let commands = turns.map { turn in
        let basket = turn % 2 == 0 ? products : products.reversed()
        return world.publication(ProductWorld.create(basket.map { (product: $0, quantity: 1) }), id: "\(round)-\(1_000 + turn)")
      }
      let outcomes = await publisher.publish(commands, deadline: .after(.seconds(60)))
      #expect(outcomes.allSatisfy { $0 == .confirmed })
      await crew.thaw()
      let answered = await eventually(within: .seconds(60)) { book.count >= 2 * each * (round + 1) }
      try #require(answered, "\(book.count) replies in round \(round)\n\(world.logTail())")
    }
    #expect(book.byMessage.count == rounds * each)
    #expect(book.byMessage.values.allSatisfy { $0.map(\.outcome).sorted() == ["accepted", "duplicate"] })
    #expect(book.all.allSatisfy { $0.outcome == "accepted" || $0.original == "accepted" })
    let reserved = ProductWorld.Stock(onHand: 1_000_000, reserved: Int64(rounds * each))
    #expect(try await world.stock() == Dictionary(uniqueKeysWithValues: products.map { ($0, reserved) }))
    #expect(try await world.number("SELECT count(*) FROM processed_commands") == rounds * each)
    if let log = PostgresLog(of: world) {
      print(
        "contention: \(rounds) rounds of \(each) ids in opposite orders in two workers: \(log.errors(saying: "deadlock detected")) deadlocks,",
        "\(log.errors(saying: "duplicate key")) claims that met another's, all run again unseen")
    }
    try await end(world, crew, replies, [publisher])
  }

  private func listening(_ world: ProductWorld, _ book: ReplyBook) async throws -> Consumer {
    let replies = try world.replies()
    Task { await replies.listen(lost: {}, book.note) }
    try #require(await eventually { replies.state.isConnected })
    return replies
  }

  /// Nothing is left over, and the world goes.
  private func end(_ world: ProductWorld, _ crew: WorkerCrew, _ replies: Consumer, _ publishers: [Publisher]) async throws {
    for publisher in publishers { await publisher.close() }
    await replies.close()
    try #require(await crew.end(), "a worker ended by itself, or not as it should on SIGTERM\n\(world.logTail())")
    try #require(try await eventually { try await world.depth("commands") == 0 }, "\(world.logTail())")
    try #require(try await world.depth("dead-letter") == 0, "\(world.logTail())")
    let left = try await world.number("SELECT count(*) FROM outbox")
    try #require(left == 0, "\(left) events are left in the outbox\n\(world.logTail())")
    try await world.remove()
  }
}
