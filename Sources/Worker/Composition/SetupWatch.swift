import ClientRuntime
import Logging
import Operations
import Pacing
import PostgresAdapter
import PostgresClient
import RabbitMQAdapter
import RabbitMQClient
import RedisClient

/// Looks, before the worker begins, whether `setup` has been run; changes nothing, and looks again until it has.
struct SetupWatch: Sendable {
  private let configuration: Configuration
  private let health: HealthRegistry
  private let log: Logger

  init(_ configuration: Configuration, health: HealthRegistry, log: Logger) {
    self.configuration = configuration
    self.health = health
    self.log = log
  }

  /// True when everything is there; false where the task is cancelled first.
  func untilReady() async -> Bool {
    var backoff = Backoff(first: .milliseconds(100), limit: .seconds(5))
    var lastSaid: [String] = []
    var cache: RedisClient?
    while !Task.isCancelled {
      async let database = lookAtDatabase()
      async let broker = lookAtBroker()
      let results = (database: await database, broker: await broker)
      let faults = [results.database.fault, results.broker].compactMap(\.self)
      if faults.isEmpty { break }
      // What is as it should be is shown so, beside what is waited for.
      if results.database.fault == nil { health.set(.postgres, .up, detail: results.database.server) }
      if results.broker == nil { health.set(.rabbitmq, .up) }
      if cache == nil { cache = lookAtCache() }
      if faults != lastSaid {
        log.error("not ready: looking again until it is", metadata: [LogKey.reason: "\(faults.joined(separator: "; "))"])
        lastSaid = faults
      }
      try? await Task.sleep(for: backoff.next())
    }
    await cache?.close()
    return !Task.isCancelled
  }

  private func lookAtDatabase() async -> (fault: String?, server: String?) {
    do {
      let (missing, remarks, state) = try await SetupDatabase.withClient(configuration, as: .system, wait: .seconds(5)) { client throws in
        let migrator = Migrator(client: client, schema: configuration[.databaseSchema])
        let missing = try await migrator.pending(deadline: .after(.seconds(10)))
        return (missing, missing.isEmpty ? try await migrator.remarks(deadline: .after(.seconds(10))) : [], client.state)
      }
      if !missing.isEmpty { return (down(.postgres, "the tables are not up to date (\(missing.joined(separator: ", "))): run `order-worker setup`"), nil) }
      for remark in remarks { log.warning("the database is not set up as it should be", metadata: [LogKey.detail: "\(remark)"]) }
      if case .connected(let server) = state { return (nil, server) }
      return (nil, nil)
    } catch {
      return (down(.postgres, SetupDatabase.sentence(error)), nil)
    }
  }

  /// Tells where the cache stands until it is closed; nothing waits for it.
  private func lookAtCache() -> RedisClient? {
    guard let url = configuration[.redisURL], let configuration = try? RedisConfiguration(url: url) else { return nil }
    return RedisClient(configuration: configuration) { [health] in health.set("redis", $0) }
  }

  private func lookAtBroker() async -> String? {
    do {
      let missing = try await Topology(prefix: configuration[.prefix]).missing(try SetupBroker.connection(configuration))
      if missing.isEmpty { return nil }
      return down(.rabbitmq, missing.map(\.description).joined(separator: ", ") + ": run `order-worker setup`")
    } catch {
      return down(.rabbitmq, "\(error)")
    }
  }

  private func down(_ name: DependencyName, _ detail: String) -> String {
    health.set(name, .down, detail: detail)
    return detail
  }
}
