import Application
import ClientRuntime
import Domain
import RedisClient
import Synchronization

/// Orders as JSON in Redis: a hash with `version` and `order`, with a TTL. A script lets only a higher version win, so that writers need not
/// agree on an order.
package final class RedisSnapshotCache: SnapshotCache {
  private let client: RedisClient
  private let prefix: String
  private let ttl: Duration
  private let deadline: Duration
  private let missed = Mutex<Set<OrderKey>>([])

  /// Keys whose write failed are remembered, up to this many, and removed before anything new is written.
  private static let mostMissed = 10_000

  package init(client: RedisClient, prefix: String, ttl: Duration, deadline: Duration = .milliseconds(50)) {
    self.client = client
    self.prefix = prefix
    self.ttl = ttl
    self.deadline = deadline
  }

  package func store(_ snapshots: [Snapshot]) async {
    guard !snapshots.isEmpty else { return }
    let stale = missed.withLock { $0 }
    var commands: [RedisCommand] = []
    if !stale.isEmpty { commands.append(unlink(Array(stale))) }
    let seconds = ttl.components.seconds * 1_000 + ttl.components.attoseconds / 1_000_000_000_000_000
    for snapshot in snapshots {
      // Up to a tenth off, so that what was written together does not run out together.
      let milliseconds = seconds - Int64.random(in: 0...max(seconds / 10, 1))
      commands.append(
        RedisCommand(
          "EVAL", Self.script, "1", key(snapshot.key), String(snapshot.version), snapshot.json, String(max(milliseconds, 1))))
    }
    do {
      let replies = try await client.pipeline(commands, deadline: .after(deadline))
      if !stale.isEmpty { missed.withLock { $0.subtract(stale) } }
      let refused = zip(snapshots, replies.suffix(snapshots.count)).filter(\.1.isError).map(\.0.key)
      if !refused.isEmpty { await remove(refused) }
    } catch {
      remember(snapshots.map(\.key))
    }
  }

  package func remove(_ keys: [OrderKey]) async {
    guard !keys.isEmpty else { return }
    do {
      _ = try await client.pipeline([unlink(keys)], deadline: .after(deadline))
    } catch {
      remember(keys)
    }
  }

  private func remember(_ keys: [OrderKey]) {
    missed.withLock { missed in
      for key in keys where missed.count < Self.mostMissed { missed.insert(key) }
    }
  }

  private func unlink(_ keys: [OrderKey]) -> RedisCommand {
    var command = RedisCommand("UNLINK")
    for order in keys { command.append(key(order)) }
    return command
  }

  private func key(_ key: OrderKey) -> String { "\(prefix):\(key.tenant.rawValue):\(key.order)" }

  /// KEYS[1]; ARGV: version, order's JSON, time to live in milliseconds.
  private static let script = """
    local v = redis.call('HGET', KEYS[1], 'version')
    if v and tonumber(v) >= tonumber(ARGV[1]) then return 0 end
    redis.call('HSET', KEYS[1], 'version', ARGV[1], 'order', ARGV[2])
    redis.call('PEXPIRE', KEYS[1], ARGV[3])
    return 1
    """
}

/// Where no cache is configured.
package struct NoSnapshotCache: SnapshotCache {
  package init() {}
  package func store(_ snapshots: [Snapshot]) async {}
  package func remove(_ keys: [OrderKey]) async {}
}
