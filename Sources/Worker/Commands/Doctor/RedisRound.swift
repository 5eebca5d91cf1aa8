import ClientRuntime
import RedisAdapter
import RedisClient

/// Asks the server of ORDERS_REDIS_URL.
struct RedisRound: Sendable {
  private static let connectTimeout = Duration.seconds(4)
  private static let patience = Duration.seconds(5)

  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func look() async -> Checkup.Part {
    guard let url = configuration[.redisURL], let redis = try? RedisConfiguration(url: url, connectTimeout: Self.connectTimeout) else {
      var list = FindingList(.redis)
      list.ok("host", "none is set: queries are answered from PostgreSQL")
      return .init(findings: list.all)
    }
    let place = "\(redis.host):\(redis.port)"
    let client = RedisClient(configuration: redis)
    let examined = await examine(client)
    await client.close()
    return .init(
      findings: RedisJudge.judge(examined, place: place),
      clocks: examined.facts.flatMap(\.clock).map { [("Redis at \(place)", $0)] } ?? [])
  }

  private func examine(_ client: RedisClient) async -> Examined<RedisFacts> {
    let deadline = Deadline.after(Self.connectTimeout + .milliseconds(500))
    while client.state == .connecting, !deadline.hasPassed { try? await Task.sleep(for: .milliseconds(5)) }
    switch client.state {
    case .disconnected(let reason): return .failed(reason)
    case .connecting, .closed: return .failed("no answer within \(DurationText.format(Self.connectTimeout))")
    case .connected: break
    }
    do throws(RedisError) {
      return .facts(try await RedisExamination(client: client, prefix: configuration[.redisPrefix]).facts(deadline: .after(Self.patience)))
    } catch {
      return .failed("\(error)")
    }
  }
}
