import ClientRuntime
import Foundation
import PostgresClient
import RabbitMQClient
import RedisClient
import TestSupport

/// Reads the cache as the contract shows it to others, and holds it against PostgreSQL and the events.
struct SnapshotReader: Sendable {
  struct Snapshot {
    let version: Int64
    let order: NSDictionary?
    /// Milliseconds.
    let timeToLive: Int64
  }

  private let world: ProductWorld
  private let client: RedisClient

  init(_ world: ProductWorld, url: String) throws {
    self.world = world
    client = RedisClient(configuration: try RedisConfiguration(url: url))
  }

  func close() async { await client.close() }

  func run(_ command: RedisCommand) async throws -> RedisReply {
    try await client.pipeline([command], deadline: .after(.seconds(5)))[0]
  }

  /// What the cache has of these orders; throws where Redis does not answer.
  func snapshots(_ orders: [String], within limit: Duration = .seconds(5)) async throws -> [String: Snapshot] {
    let commands = orders.flatMap { order in
      let key = "\(world.name):default:\(order)"
      return [RedisCommand("HMGET", key, "version", "order"), RedisCommand("PTTL", key)]
    }
    let replies = try await client.pipeline(commands, deadline: .after(limit))
    var all: [String: Snapshot] = [:]
    for (i, order) in orders.enumerated() {
      guard case .array(let fields) = replies[2 * i], let version = fields[0].bytes.flatMap({ Int64(String(decoding: $0, as: UTF8.self)) }) else { continue }
      let json = fields[1].bytes.flatMap { try? JSONSerialization.jsonObject(with: Data($0)) as? NSDictionary }
      all[order] = Snapshot(version: version, order: json, timeToLive: replies[2 * i + 1].integer ?? -3)
    }
    return all
  }

  func versions() async throws -> [String: Int64] {
    try await world.database.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      let rows = try session.query(Statement(name: "versions", sql: "SELECT order_id::text, version FROM orders"))
      var versions: [String: Int64] = [:]
      for row in 0..<rows.rowCount { versions[rows.text(row, 0)] = rows.int64(row, 1) }
      return versions
    }
  }

  /// Each order as the event of its version told it, by `order_id/version`.
  static func told(by events: [Delivery]) -> [String: NSDictionary] {
    var told: [String: NSDictionary] = [:]
    for event in events {
      guard let whole = try? JSONSerialization.jsonObject(with: Data(event.body)) as? [String: Any], var order = whole["data"] as? [String: Any],
        let id = order["order_id"] as? String, let version = order["version"] as? Int64
      else { continue }
      order["previous_status"] = nil
      told["\(id)/\(version)"] = order as NSDictionary
    }
    return told
  }
}
