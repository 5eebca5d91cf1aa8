import ClientRuntime
import RabbitMQClient
import TestSupport

/// Publishes a plan's orders at a steady rate, each until it is confirmed; after an interruption it catches up.
final class SteadyFeed: Sendable {
  private static let chunk = 20
  private let world: ProductWorld
  private let plan: OrderPlan
  private let ledger: FlowLedger
  private let rate: Int
  private let next = Locked(0)

  init(_ world: ProductWorld, _ plan: OrderPlan, _ ledger: FlowLedger, rate: Int) {
    self.world = world
    self.plan = plan
    self.ledger = ledger
    self.rate = rate
  }

  var isOver: Bool { next.withLock { $0 >= plan.count } }

  /// Several tasks over three connections, which begin at hosts of their own choice.
  func run(until deadline: Deadline) async throws {
    let publishers = [try world.publisher(), try world.publisher(), try world.publisher()]
    let start = ContinuousClock.now
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<9 { group.addTask { await self.feed(publishers[task % publishers.count], start, deadline) } }
    }
    for publisher in publishers { await publisher.close() }
  }

  private func feed(_ publisher: Publisher, _ start: ContinuousClock.Instant, _ deadline: Deadline) async {
    while !deadline.hasPassed {
      let taken = next.withLock { next -> Range<Int> in
        let end = min(next + Self.chunk, plan.count)
        defer { next = end }
        return next..<end
      }
      if taken.isEmpty { return }
      try? await Task.sleep(until: start + .seconds(1) * (Double(taken.lowerBound) / Double(rate)), clock: .continuous)
      var open = Array(taken)
      while !open.isEmpty && !deadline.hasPassed {
        let outcomes = await publisher.publish(open.map(publication), deadline: .after(.seconds(5)))
        ledger.confirm(zip(open, outcomes).filter { $0.1 == .confirmed }.map { plan.messageID($0.0) })
        open = zip(open, outcomes).filter { $0.1 != .confirmed }.map(\.0)
        if !open.isEmpty { try? await Task.sleep(for: .milliseconds(50)) }
      }
    }
  }

  private func publication(_ order: Int) -> Publication {
    world.publication(ProductWorld.create(plan.lines(order)), id: plan.messageID(order))
  }
}
