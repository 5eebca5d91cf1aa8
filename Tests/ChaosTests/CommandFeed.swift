import ClientRuntime
import RabbitMQClient
import TestSupport

/// Publishes a plan's copies from several tasks at once, no further than it is let, each until it is confirmed.
final class CommandFeed: Sendable {
  private struct State {
    var next = 0
    var limit: Int
  }

  private static let chunk = 50
  private let world: ProductWorld
  private let plan: OrderPlan
  private let ledger: Ledger
  private let copies: [Int32]
  private let state: Locked<State>

  init(_ world: ProductWorld, _ plan: OrderPlan, _ ledger: Ledger, limit: Int = .max) {
    self.world = world
    self.plan = plan
    self.ledger = ledger
    copies = plan.copies
    state = Locked(State(limit: limit))
  }

  var limit: Int { state.withLock(\.limit) }
  func raise(by count: Int) { state.withLock { $0.limit += min(count, .max - $0.limit) } }
  func release() { state.withLock { $0.limit = .max } }

  /// How many different orders there are among the copies up to the limit.
  var ordersWithinLimit: Int { Set(copies.prefix(limit)).count }

  /// Four tasks over two connections.
  func run(until deadline: Deadline) async throws {
    let publishers = [try world.publisher(), try world.publisher()]
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<4 { group.addTask { await self.feed(publishers[task % 2], until: deadline) } }
    }
    for publisher in publishers { await publisher.close() }
  }

  private func feed(_ publisher: Publisher, until deadline: Deadline) async {
    while !deadline.hasPassed {
      let taken = state.withLock { state -> Range<Int> in
        let end = min(state.next + Self.chunk, state.limit, copies.count)
        defer { state.next = end }
        return state.next..<end
      }
      if taken.isEmpty {
        if taken.upperBound == copies.count { return }
        try? await Task.sleep(for: .milliseconds(2))
        continue
      }
      var open = Array(copies[taken])
      while !open.isEmpty && !deadline.hasPassed {
        let outcomes = await publisher.publish(open.map(publication), deadline: .after(.seconds(30)))
        ledger.confirmed(zip(open, outcomes).filter { $0.1 == .confirmed }.map(\.0))
        open = zip(open, outcomes).filter { $0.1 != .confirmed }.map(\.0)
        // A full queue refuses; whatever else it is shows at the end, as an order that was not confirmed twice.
        if !open.isEmpty { try? await Task.sleep(for: .milliseconds(50)) }
      }
    }
  }

  /// Beside the plan: what is confirmed here is not counted.
  func askAgain(_ orders: [Int32]) async throws {
    let publisher = try world.publisher()
    _ = await publisher.publish(orders.map(publication), deadline: .after(.seconds(30)))
    await publisher.close()
  }

  private func publication(_ order: Int32) -> Publication {
    world.publication(ProductWorld.create(plan.lines(Int(order))), id: plan.messageID(Int(order)))
  }
}
