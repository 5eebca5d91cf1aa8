import ClientRuntime
import RabbitMQClient
import TestSupport
import Testing

/// Many for few, and in opposite orders: never oversold, never stuck.
@Suite struct ContentionTests {
  @Test func sixtyFourPublishersFightForOneProductAndExactlyItsStockGoes() async throws {
    let world = try await ProductWorld.make()
    try await world.setStock(["scarce": 100])
    let outcomes = try await answers(world, count: 640) { i in
      world.publication(ProductWorld.create([(product: "scarce", quantity: 1)]), id: "m\(i)")
    }
    #expect(outcomes.filter { $0 == ["accepted"] }.count == 100)
    #expect(outcomes.filter { $0 == ["rejected"] }.count == 540)
    #expect(try await world.number("SELECT reserved FROM inventory") == 100)
    #expect(try await world.number("SELECT count(*) FROM processed_commands WHERE rejection LIKE '%out_of_stock%'") == 540)
    try await world.remove()
  }

  @Test func basketsInOppositeOrdersAreAllDone() async throws {
    let world = try await ProductWorld.make()
    let products = (0..<20).map { "p\($0)" }
    try await world.setStock(Dictionary(uniqueKeysWithValues: products.map { ($0, 1_000_000) }))
    let outcomes = try await answers(world, count: 640) { i in
      let basket = (i % 2 == 0 ? products : products.reversed()).map { (product: $0, quantity: Int64(1)) }
      return world.publication(ProductWorld.create(basket), id: "m\(i % 2 == 0 ? i : 640 - i)")
    }
    #expect(outcomes.count == 640 && outcomes.allSatisfy { $0 == ["accepted"] })
    #expect(try await world.number("SELECT min(reserved) FROM inventory") == 640)
    #expect(try await world.number("SELECT max(reserved) FROM inventory") == 640)
    #expect(try await world.depth("dead-letter") == 0)
    try await world.remove()
  }

  /// 64 publishers at once, three workers; the outcomes by message.
  private func answers(_ world: ProductWorld, count: Int, _ publication: @escaping @Sendable (Int) -> Publication) async throws -> [[String]] {
    let ledger = Ledger()
    let replies = try world.replies()
    let listening = await eventually { replies.state.isConnected }
    #expect(listening)
    let answering = Task { await ledger.follow(replies: replies) }
    var workers: [ServerProcess] = []
    for _ in 0..<3 { workers.append(await world.worker()) }
    let publishers = try (0..<8).map { _ in try world.publisher() }
    await withTaskGroup { group in
      for task in 0..<64 {
        group.addTask {
          let own = stride(from: task, to: count, by: 64).map(publication)
          ledger.confirmed(await publishers[task % publishers.count].publish(own, deadline: .after(.seconds(60))))
        }
      }
    }
    let answered = await eventually(within: .seconds(90)) { ledger.seen.replies.count == count }
    #expect(answered, "\(ledger.seen.replies.count) of \(count) answered; log: \(world.log)")
    for worker in workers { await worker.end() }
    for publisher in publishers { await publisher.close() }
    await replies.close()
    await answering.value
    return Array(ledger.seen.replies.values)
  }
}
