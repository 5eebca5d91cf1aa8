import ClientRuntime

extension ManagementAPI {
  private struct Overview: Decodable {
    let version: String
    enum CodingKeys: String, CodingKey { case version = "rabbitmq_version" }
  }

  /// Reads what concerns the queues named `prefix.…` of a virtual host. Throws where the API as a whole does not answer; each part that the user may not
  /// see says so by itself.
  package func facts(virtualHost: String, prefix: String, user: String, deadline: Deadline) async throws(Fault) -> ManagementFacts {
    let vhost = Self.escaped(virtualHost)
    let (overview, clock): (Overview, ClockReading?) = try await exchange("overview", deadline: deadline)
    async let queues: ManagementAnswer<[BrokerQueue]> = answer("queues/\(vhost)?columns=\(BrokerQueue.columns)", deadline)
    async let policies: ManagementAnswer<[BrokerPolicy]> = answer("policies/\(vhost)", deadline)
    async let operatorPolicies: ManagementAnswer<[BrokerPolicy]> = answer("operator-policies/\(vhost)", deadline)
    async let bindings: ManagementAnswer<[BrokerBinding]> = answer("bindings/\(vhost)?columns=\(BrokerBinding.columns)", deadline)
    async let flags: ManagementAnswer<[FeatureFlag]> = answer("feature-flags", deadline)
    async let nodes: ManagementAnswer<[BrokerNode]> = answer("nodes", deadline)
    async let permission: ManagementAnswer<BrokerPermission> = answer("permissions/\(vhost)/\(Self.escaped(user))", deadline)
    var facts = ManagementFacts(
      clock: clock, version: overview.version, queues: await queues, policies: await policies, operatorPolicies: await operatorPolicies,
      bindings: await bindings, flags: await flags, nodes: await nodes, permission: await permission)
    // A virtual host may be shared with many others.
    if let all = facts.queues.value { facts.queues = .value(all.filter { $0.name.hasPrefix(prefix + ".") }) }
    if let all = facts.bindings.value { facts.bindings = .value(all.filter { $0.destination.hasPrefix(prefix + ".") }) }
    return facts
  }

  private func answer<Value: Decodable & Sendable & Equatable>(_ path: String, _ deadline: Deadline) async -> ManagementAnswer<Value> {
    do throws(Fault) {
      return .value(try await get(path, deadline: deadline))
    } catch {
      return .notGiven(error)
    }
  }
}
