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
  private let missed = Mutex(Missed())

  private struct Missed {
    var keys: Set<OrderKey> = []
    /// Until then some copies may be older than anybody remembers.
    var doubtUntil: ContinuousClock.Instant?
  }

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
    let stale = missed.withLock { $0.keys }
    var commands: [RedisCommand] = []
    if !stale.isEmpty { commands.append(unlink(Array(stale))) }
    let chunks = stride(from: 0, to: snapshots.count, by: Self.chunk).map { snapshots[$0..<min($0 + Self.chunk, snapshots.count)] }
    commands += chunks.map(write)
    do {
      let replies = try await client.pipeline(commands, deadline: .after(deadline))
      if !stale.isEmpty { missed.withLock { $0.keys.subtract(stale) } }
      // Out of memory, say: what the cache still has of these orders is old now.
      let refused = zip(chunks, replies.suffix(chunks.count)).filter { $0.1.errorText != nil }.flatMap { $0.0.map(\.key) }
      await remove(refused)
    } catch {
      remember(snapshots.map(\.key))
    }
  }

  package func load(_ keys: [OrderKey]) async -> [OrderKey: Snapshot] {
    guard !keys.isEmpty else { return [:] }
    let (stale, isInDoubt) = missed.withLock { ($0.keys, $0.doubtUntil.map { $0 > .now } ?? false) }
    let wanted = isInDoubt ? [] : keys.filter { !stale.contains($0) }
    guard !wanted.isEmpty else { return [:] }
    let commands = wanted.map { order in
      var command = RedisCommand("HMGET")
      command.append(key(order))
      command.append("version")
      command.append("order")
      return command
    }
    guard let replies = try? await client.pipeline(commands, deadline: .after(deadline)) else { return [:] }
    var found: [OrderKey: Snapshot] = [:]
    for (order, reply) in zip(wanted, replies) {
      guard case .array(let fields) = reply, fields.count == 2, let version = fields[0].bytes.flatMap({ Int64(String(decoding: $0, as: UTF8.self)) }),
        let json = fields[1].bytes
      else { continue }
      found[order] = Snapshot(key: order, version: version, json: json)
    }
    return found
  }

  package func remove(_ keys: [OrderKey]) async {
    guard !keys.isEmpty else { return }
    do {
      _ = try await client.pipeline([unlink(keys)], deadline: .after(deadline))
    } catch {
      remember(keys)
    }
  }

  private func write(_ snapshots: ArraySlice<Snapshot>) -> RedisCommand {
    var command = RedisCommand("EVAL", capacity: 256 + snapshots.count * 700)
    command.append(Self.script)
    command.append(snapshots.count)
    for snapshot in snapshots { command.append(key(snapshot.key)) }
    let milliseconds = ttl.components.seconds * 1_000 + ttl.components.attoseconds / 1_000_000_000_000_000
    for snapshot in snapshots {
      command.append(snapshot.version)
      command.append(snapshot.json)
      // Up to a tenth off, so that what was written together does not run out together.
      command.append(max(1, milliseconds - Int64.random(in: 0...max(milliseconds / 10, 1))))
    }
    return command
  }

  private func remember(_ keys: [OrderKey]) {
    missed.withLock { missed in
      for key in keys {
        // Beyond what can be remembered the copies themselves have to run out before any is believed.
        if missed.keys.count < Self.mostMissed { missed.keys.insert(key) } else { missed.doubtUntil = .now + ttl }
      }
    }
  }

  private func unlink(_ keys: [OrderKey]) -> RedisCommand {
    var command = RedisCommand("UNLINK")
    for order in keys { command.append(key(order)) }
    return command
  }

  private func key(_ key: OrderKey) -> String { "\(prefix):\(key.tenant.rawValue):\(key.order)" }

  /// Orders written by one call of the script: Redis does nothing else meanwhile.
  private static let chunk = 100

  /// ARGV has for each of KEYS its version, the order's JSON, and the time to live in milliseconds.
  private static let script = """
    for i, key in ipairs(KEYS) do
      local a = 3 * (i - 1)
      local v = redis.call('HGET', key, 'version')
      if not v or tonumber(v) < tonumber(ARGV[a + 1]) then
        redis.call('HSET', key, 'version', ARGV[a + 1], 'order', ARGV[a + 2])
        redis.call('PEXPIRE', key, ARGV[a + 3])
      end
    end
    """
}

/// Where no cache is configured.
package struct NoSnapshotCache: SnapshotCache {
  package init() {}
  package func store(_ snapshots: [Snapshot]) async {}
  package func load(_ keys: [OrderKey]) async -> [OrderKey: Snapshot] { [:] }
  package func remove(_ keys: [OrderKey]) async {}
}
