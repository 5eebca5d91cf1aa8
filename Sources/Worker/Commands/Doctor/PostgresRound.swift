import ClientRuntime
import PostgresAdapter
import PostgresClient

/// Asks each host of ORDERS_DATABASE_URL by itself.
struct PostgresRound: Sendable {
  private static let connectTimeout = Duration.seconds(5)
  private static let patience = Duration.seconds(6)

  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func look(now: Int64) async -> Checkup.Part {
    // What cannot be read was refused before this.
    guard let plain = try? settings([]).oneForEachHost, let own = try? settings([SetupDatabase.durable]).oneForEachHost else { return .init(findings: []) }
    let hosts = await sideBySide(Array(zip(plain, own))) { plain, own in
      (place: plain.place, examined: await examine(plain.configuration, asWorker: own.configuration))
    }
    return .init(
      findings: PostgresJudge.judge(hosts, now: now),
      clocks: hosts.compactMap { host in host.examined.facts.map { ("PostgreSQL at \(host.place)", $0.clock) } })
  }

  private func settings(_ own: [String]) throws -> PostgresConfiguration {
    try PostgresConfiguration(
      url: configuration[.databaseURL], applicationName: "order-worker doctor", settings: own, connectTimeout: Self.connectTimeout,
      statementTimeout: Self.patience, lockTimeout: .seconds(2))
  }

  private func examine(_ plain: PostgresConfiguration, asWorker own: PostgresConfiguration) async -> Examined<PostgresFacts> {
    let examination = PostgresExamination(schema: configuration[.databaseSchema])
    do {
      var facts = try await with(plain) { session, server throws(PostgresError) in try examination.facts(session, server: server) }
      if !facts.isStandby {
        let worker = try await with(own) { session, _ throws(PostgresError) in try examination.workerSettings(session) }
        (facts.commitOfWorker, facts.statementTimeout) = worker
      }
      return .facts(facts)
    } catch {
      return .failed("\(error)")
    }
  }

  /// A connection that is tried once.
  private func with<T: Sendable>(
    _ configuration: PostgresConfiguration, _ body: @escaping @Sendable (PostgresSession, String) throws(PostgresError) -> T
  ) async throws -> T {
    let client = PostgresClient(configuration: configuration)
    let deadline = Deadline.after(Self.connectTimeout + .milliseconds(500))
    while client.state == .connecting, !deadline.hasPassed { try? await Task.sleep(for: .milliseconds(5)) }
    let result: Result<T, any Error>
    switch client.state {
    case .connected(let server):
      do {
        result = .success(try await client.run(deadline: .after(Self.patience)) { session throws(PostgresError) in try body(session, server) })
      } catch {
        result = .failure(error)
      }
    case .disconnected(let reason): result = .failure(Unreachable(description: reason))
    case .connecting, .closed: result = .failure(Unreachable(description: "no answer within \(DurationText.format(Self.connectTimeout))"))
    }
    await client.close()
    return try result.get()
  }

  private struct Unreachable: Error, CustomStringConvertible {
    let description: String
  }
}
