import ClientRuntime
import Logging
import Operations
import Pacing
import PostgresAdapter
import PostgresClient
import RabbitMQAdapter
import RabbitMQClient

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
    while !Task.isCancelled {
      async let database = lookAtDatabase()
      async let broker = lookAtBroker()
      let results = (database: await database, broker: await broker)
      let faults = [results.database, results.broker].compactMap(\.self)
      if faults.isEmpty { return true }
      // The one that is as it should be is shown so, beside the one that is waited for.
      if results.database == nil { health.set(.postgres, .up) }
      if results.broker == nil { health.set(.rabbitmq, .up) }
      if faults != lastSaid {
        log.error("not ready: looking again until it is", metadata: [LogKey.reason: "\(faults.joined(separator: "; "))"])
        lastSaid = faults
      }
      try? await Task.sleep(for: backoff.next())
    }
    return false
  }

  private func lookAtDatabase() async -> String? {
    do {
      let missing = try await SetupDatabase.withClient(configuration, wait: .seconds(5)) { client throws in
        try await Migrator(client: client, schema: configuration[.databaseSchema]).pending(deadline: .after(.seconds(10)))
      }
      if missing.isEmpty { return nil }
      return down(.postgres, "the tables are not up to date (\(missing.joined(separator: ", "))): run `order-worker setup`")
    } catch {
      return down(.postgres, SetupDatabase.sentence(error))
    }
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
