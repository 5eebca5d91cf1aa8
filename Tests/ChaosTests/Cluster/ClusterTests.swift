import Foundation
import TestSupport
import Testing

/// Servers that fail over under load: three RabbitMQ nodes killed in turn, and a PostgreSQL primary whose synchronous standby takes its place.
///
/// `CLUSTER_COMMANDS` says how many commands flow, and is set by `make cluster`: without it these tests, which start servers, do not run.
@Suite(.serialized, .enabled(if: ProcessInfo.processInfo.environment["CLUSTER_COMMANDS"] != nil, "CLUSTER_COMMANDS is not set: `make cluster` sets it"))
struct ClusterTests {
  private static let commands = variable("CLUSTER_COMMANDS")
  /// A second, which leaves time for three nodes to be started again before the flow is over.
  private static let rate = variable("CLUSTER_RATE") ?? 400

  @Test(.enabled(if: RabbitMQCluster.isInstalled), .timeLimit(.minutes(15))) func eachBrokerNodeIsKilledInTurnAndNothingIsLost() async throws {
    let began = ContinuousClock.now
    let cluster = try #require(try await RabbitMQCluster.start(), "the nodes did not become a cluster")
    print("failover: three nodes are a cluster after \(began.duration(to: .now))")
    let world = try await ProductWorld.make(["ORDERS_AMQP_URL": await cluster.url])
    let run = FailoverRun(world, commands: try #require(Self.commands), rate: Self.rate)
    let differences = try await run.differences { run in
      var faults: [FailoverRun.Fault] = []
      run.feed.limit(to: 0.3)
      for node in 0..<RabbitMQCluster.size {
        #expect(await run.flows(past: 0.05 + 0.3 * Double(node)), "the flow was over before node \(node + 1) was killed")
        faults.append(.init(name: "node \(node + 1) killed", at: .now))
        await cluster.kill(node)
        // Dead for a while under load, longer than the time in which the worker must be back.
        try await Task.sleep(for: .seconds(6))
        let start = ContinuousClock.now
        #expect(await cluster.restart(node), "node \(node + 1) did not come back")
        run.feed.limit(to: node < 2 ? 0.6 + 0.3 * Double(node) : 1)
        print("failover: node \(node + 1) is back with all its queues after \(start.duration(to: .now))")
      }
      return faults
    }
    #expect(differences.isEmpty, "\(differences.prefix(30).joined(separator: "\n"))\n\(world.logTail())")
    await cluster.remove()
    if differences.isEmpty { try await world.removeDatabase() }
  }

  /// Where the standby is cut off a moment before, the primary has commits that nobody has seen answered, and that are gone with it.
  @Test(.enabled(if: PostgresPair.isInstalled), .timeLimit(.minutes(15)), arguments: [false, true])
  func thePrimaryIsKilledAndNothingAcknowledgedIsMissingOnTheStandby(isCutOffBefore: Bool) async throws {
    let pair = try #require(await PostgresPair.start(), "the standby does not follow")
    let world = try await ProductWorld.make(["ORDERS_DATABASE_URL": pair.url])
    let run = FailoverRun(world, commands: max(try #require(Self.commands) / 5, 2_000), rate: Self.rate)
    let differences = try await run.differences { run in
      #expect(await run.flows(past: 0.3), "the flow was over before")
      if isCutOffBefore {
        #expect(await pair.detachStandby(), "the standby was not cut off")
        let answered = run.ledger.acknowledged
        try await Task.sleep(for: .seconds(2))
        // What was on both a moment ago is still on its way.
        #expect(run.ledger.acknowledged - answered < Self.rate, "commands are answered without the standby")
      }
      var fault = FailoverRun.Fault(name: isCutOffBefore ? "standby cut off, primary killed" : "primary killed", at: .now)
      let start = ContinuousClock.now
      await pair.killPrimary()
      #expect(await pair.promote(), "the standby was not promoted")
      fault.outage = start.duration(to: .now)
      print("failover: promoted, \(run.ledger.acknowledged) commands answered before")
      return [fault]
    }
    #expect(differences.isEmpty, "\(differences.prefix(30).joined(separator: "\n"))\n\(world.logTail())")
    if differences.isEmpty {
      try await run.removeQueues()
      try await world.remove()
    }
    await pair.remove()
  }

  private static func variable(_ name: String) -> Int? { ProcessInfo.processInfo.environment[name].flatMap(Int.init) }
}
