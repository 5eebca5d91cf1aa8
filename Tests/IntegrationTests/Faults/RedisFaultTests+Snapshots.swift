import Foundation
import RabbitMQClient
import TestSupport
import Testing

extension RedisFaultTests {
  struct Watch: Sendable {
    var samples = 0
    var found: [String] = []
  }

  /// Looks, until it is cancelled, whether the cache knows a version that PostgreSQL does not have.
  static func aheadOfPostgres(_ reader: SnapshotReader) async -> Watch {
    var watch = Watch()
    let orders = (0..<1_600).map(CommandFlow.orderID)
    while !Task.isCancelled {
      // The cache first: what is committed between the two looks only makes PostgreSQL later.
      if let cached = try? await reader.snapshots(orders.shuffled().suffix(200), within: .milliseconds(500)), let stored = try? await reader.versions() {
        watch.samples += cached.count
        watch.found += cached.filter { $0.value.version > stored[$0.key] ?? 0 }.map { "\($0.key) \($0.value.version)" }
      }
      try? await Task.sleep(for: .milliseconds(50))
    }
    return watch
  }

  static func end(_ watching: Task<Watch, Never>) async -> Watch {
    watching.cancel()
    return await watching.value
  }

  static func expectNewOrdersToBeCached(_ flow: CommandFlow, _ reader: SnapshotReader, _ numbers: Range<Int>) async throws {
    // The cache may leave some out before it believes in Redis again.
    for number in numbers {
      #expect(await flow.send([flow.create(number)]))
      let order = CommandFlow.orderID(number)
      let isCached = await eventually(within: .milliseconds(300)) { (try? await reader.snapshots([order]).isEmpty) == false }
      if isCached { return }
    }
    Issue.record("the cache takes nothing any more: \(flow.world.logTail())")
  }

  /// What is cached is whole, lives for at most a minute, and is no older than PostgreSQL.
  static func expectSnapshotsToAgree(_ flow: CommandFlow, _ reader: SnapshotReader, cancelled: [Int]) async throws {
    let stored = try await reader.versions()
    #expect(cancelled.allSatisfy { stored[CommandFlow.orderID($0)] == 2 })
    let orders = Array(stored.keys)
    var stale: [String] = []
    let current = try await eventually(within: .seconds(10)) {
      let cached = try await reader.snapshots(orders)
      stale = cached.filter { $0.value.version != stored[$0.key] }.map { "\($0.key): \($0.value.version)" }
      return stale.isEmpty
    }
    #expect(current, "\(stale.count) snapshots are old, such as \(stale.prefix(3))")
    let cached = try await reader.snapshots(orders)
    #expect(!cached.isEmpty)
    // The event of the newest may still be on its way: it goes out beside the snapshot.
    var told = SnapshotReader.told(by: flow.events.all.map(\.delivery))
    _ = await eventually {
      told = SnapshotReader.told(by: flow.events.all.map(\.delivery))
      return cached.allSatisfy { told["\($0.key)/\($0.value.version)"] != nil }
    }
    for (order, snapshot) in cached {
      #expect(snapshot.timeToLive > 0 && snapshot.timeToLive <= 60_000, "\(order)")
      #expect(snapshot.order != nil && snapshot.order == told["\(order)/\(snapshot.version)"], "\(order)")
    }
  }
}
