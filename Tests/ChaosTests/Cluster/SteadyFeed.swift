import ClientRuntime
import RabbitMQClient
import TestSupport

/// Publishes a plan's orders at a steady rate, each until it is confirmed; past its limit only some, so that the flow lasts as long as it must.
final class SteadyFeed: Sendable {
  private struct State {
    var next = 0
    var due = ContinuousClock.now
    var limit: Int
  }

  private static let chunk = 20
  /// A second, past the limit.
  private static let slow = 20
  private let world: ProductWorld
  private let plan: OrderPlan
  private let ledger: FlowLedger
  private let rate: Int
  private let state: Locked<State>

  /// `rate` is a second's.
  init(_ world: ProductWorld, _ plan: OrderPlan, _ ledger: FlowLedger, rate: Int) {
    self.world = world
    self.plan = plan
    self.ledger = ledger
    self.rate = rate
    state = Locked(State(limit: plan.count))
  }

  var isOver: Bool { state.withLock { $0.next >= plan.count } }

  /// From that part of the commands on, only 20 a second.
  func limit(to part: Double) { state.withLock { $0.limit = Int(part * Double(plan.count)) } }

  /// Several tasks over three connections, which begin at hosts of their own choice.
  func run(until deadline: Deadline) async throws {
    let publishers = [try world.publisher(), try world.publisher(), try world.publisher()]
    await withTaskGroup(of: Void.self) { group in
      for task in 0..<9 { group.addTask { await self.feed(publishers[task % publishers.count], deadline) } }
    }
    for publisher in publishers { await publisher.close() }
  }

  private func feed(_ publisher: Publisher, _ deadline: Deadline) async {
    while !deadline.hasPassed {
      let (taken, due) = state.withLock { state in
        let start = state.next
        state.next = min(start + Self.chunk, plan.count)
        state.due = max(state.due, .now) + .seconds(1) * Self.chunk / (start < state.limit ? rate : Self.slow)
        return (start..<state.next, state.due)
      }
      if taken.isEmpty { return }
      try? await Task.sleep(until: due, clock: .continuous)
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
