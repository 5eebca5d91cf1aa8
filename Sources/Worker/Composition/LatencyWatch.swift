import ClientRuntime
import Operations
import PostgresClient
import RedisClient

/// Measures every few seconds how long the servers take to answer the least that can be asked, for health and its gauge. RabbitMQ's is measured where its
/// queues are looked at.
struct LatencyWatch: Sendable {
  let health: HealthRegistry
  let postgres: PostgresClient
  let redis: RedisClient?
  private static let pause = Duration.seconds(5)
  private static let nothing = Statement(name: "nothing", sql: "SELECT", parameterTypes: [])

  func run() async {
    while !Task.isCancelled {
      async let database = took { [postgres] in
        try await postgres.run(deadline: .after(.seconds(5))) { session throws(PostgresError) in
          // From here on: what other jobs of this connection take is no latency.
          let begin = ContinuousClock.now
          _ = try session.query(Self.nothing, [])
          return ContinuousClock.now - begin
        }
      }
      async let cache = took { [redis] in
        let begin = ContinuousClock.now
        _ = try await redis?.pipeline([RedisCommand("PING")], deadline: .after(.seconds(2)))
        return ContinuousClock.now - begin
      }
      health.set(.postgres, latency: await database)
      if redis != nil { health.set(.redis, latency: await cache) }
      try? await Task.sleep(for: Self.pause)
    }
  }

  private func took(_ measure: @Sendable () async throws -> Duration) async -> Duration? { try? await measure() }
}
