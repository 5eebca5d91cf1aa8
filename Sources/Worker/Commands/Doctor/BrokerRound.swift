import ClientRuntime
import RabbitMQAdapter
import RabbitMQClient
import RabbitMQManagementAdapter

/// Asks each host of ORDERS_AMQP_URL by itself, then one of them for exchanges and queues, and the management API for the rest.
struct BrokerRound: Sendable {
  private static let connectTimeout = Duration.seconds(6)
  private static let patience = Duration.seconds(6)

  private let configuration: Configuration
  private let topology: Topology

  init(_ configuration: Configuration) {
    self.configuration = configuration
    topology = Topology(prefix: configuration[.prefix])
  }

  func look(now: Int64) async -> Checkup.Part {
    // What cannot be read was refused before this.
    guard let connection = try? ConnectionConfiguration(url: configuration[.amqpURL], name: "order-worker doctor", connectTimeout: Self.connectTimeout) else {
      return .init(findings: [])
    }
    async let shown = management(connection)
    async let met = HTTPSPlace(configuration[.amqpManagementURL])?.look(.rabbitmq, now: now) ?? []
    let hosts = await sideBySide(connection.oneForEachHost) { host in
      (place: host.hosts[0].place, result: await examine(host), configuration: host)
    }
    let reached = hosts.first { if case .success = $0.result { true } else { false } }
    var seen: Examined<TopologyFacts>?
    if let reached { seen = await topology(reached.configuration) }
    let facts = await shown
    var part = Checkup.Part(findings: BrokerJudge.judge(hosts.map { ($0.place, $0.result) }, now: now))
    switch seen {
    case .facts(let seen): part.findings += BrokerJudge.judge(seen, comparedElsewhere: facts?.examined.isShown == true)
    case .failed(let reason):
      var list = FindingList(.rabbitmq)
      let mend =
        reason.contains("ACCESS_REFUSED")
        ? "give the worker's user rights on them, as docs/operations.md says"
        : ConnectionAdvice.rabbitmq(reason, place: reached?.place ?? "", isRefused: false)
      list.problem("exchanges and queues", reason, mend: mend)
      part.findings += list.all
    case nil: break
    }
    part.add(facts, setting(connection, hasCompared: seen?.facts?.different != nil))
    part.findings += await met
    return part
  }

  private func examine(_ host: ConnectionConfiguration) async -> Result<BrokerFacts, BrokerJudge.Failure> {
    do throws(AMQPError) {
      return .success(try await BrokerExamination.facts(host, deadline: .after(Self.connectTimeout)))
    } catch {
      return .failure(.init(reason: error.message, isRefused: error.code == .refused))
    }
  }

  private func topology(_ host: ConnectionConfiguration) async -> Examined<TopologyFacts> {
    do throws(AMQPError) {
      return .facts(try await BrokerExamination.topology(topology, host, deadline: .after(Self.patience)))
    } catch {
      return .failed(error.message)
    }
  }

  /// Nil where no address of the API is set.
  private func management(_ connection: ConnectionConfiguration) async -> ManagementLook? {
    guard let url = configuration[.amqpManagementURL] else { return nil }
    guard let api = ManagementAPI(url: url) else { return ManagementLook(place: "", examined: .fault(.unreachable("the address is none"))) }
    let examined: ManagementLook.Examined
    do throws(ManagementAPI.Fault) {
      examined = .facts(
        try await api.facts(
          virtualHost: connection.virtualHost, prefix: configuration[.prefix], user: connection.user, deadline: .after(Self.patience)))
    } catch {
      examined = .fault(error)
    }
    await api.close()
    return ManagementLook(place: api.place, examined: examined)
  }

  private func setting(_ connection: ConnectionConfiguration, hasCompared: Bool) -> ManagementJudge.Setting {
    .init(
      topology: topology, prefix: configuration[.prefix], virtualHost: connection.virtualHost, user: connection.user, roles: Set(configuration[.roles]),
      isProduction: configuration[.environment] == .production, hasCompared: hasCompared)
  }
}

/// What the management API told, or why not.
struct ManagementLook: Sendable {
  enum Examined: Sendable {
    case facts(ManagementFacts)
    case fault(ManagementAPI.Fault)

    /// Whether the queues are among what it showed.
    var isShown: Bool { if case .facts(let facts) = self { facts.queues.value != nil } else { false } }
  }

  let place: String
  let examined: Examined
}

extension Checkup.Part {
  fileprivate mutating func add(_ look: ManagementLook?, _ setting: ManagementJudge.Setting) {
    guard let look else { return findings += ManagementJudge.withoutURL() }
    switch look.examined {
    case .fault(let fault): findings += ManagementJudge.failed(fault, place: look.place)
    case .facts(let facts):
      findings += ManagementJudge.judge(facts, setting, place: look.place)
      if let clock = facts.clock { clocks.append(("RabbitMQ at \(look.place)", clock)) }
    }
  }
}
