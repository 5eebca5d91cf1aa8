import RabbitMQManagementAdapter

/// A policy that applies to a queue: of several that match, the one of the highest priority; one of operators counts beside it.
struct AppliedPolicy: Equatable {
  let name: String
  let isOperators: Bool
  let definition: [String: PolicyValue]

  /// By the policies themselves where they are to be seen; else by what the queue tells, which it does some seconds late: nil where it has not told.
  static func of(_ queue: BrokerQueue, _ facts: ManagementFacts) -> [AppliedPolicy]? {
    if let policies = facts.policies.value, let operators = facts.operatorPolicies.value {
      return [(policies, false), (operators, true)].compactMap { all, isOperators in
        winner(all, queue).map { AppliedPolicy(name: $0.name, isOperators: isOperators, definition: $0.definition) }
      }
    }
    guard let effective = queue.effective else { return nil }
    if effective.isEmpty { return [] }
    let names = [queue.policy, queue.operatorPolicy].compactMap(\.self).joined(separator: " with operator policy ")
    return [AppliedPolicy(name: names, isOperators: queue.policy == nil, definition: effective)]
  }

  private static func winner(_ policies: [BrokerPolicy], _ queue: BrokerQueue) -> BrokerPolicy? {
    policies.filter { policy in
      guard ["all", "queues", "\(queue.type)_queues"].contains(policy.appliesTo), let pattern = try? Regex(policy.pattern) else { return false }
      return queue.name.contains(pattern)
    }.max { $0.priority < $1.priority }
  }

  var title: String { "\(isOperators ? "operator policy" : "policy") \(name)" }

  func remedy(key: String, prefix: String, virtualHost: String) -> String {
    let command = "rabbitmqctl \(isOperators ? "clear_operator_policy" : "clear_policy") -p \(virtualHost.shellWord) \(name.shellWord)"
    return "take \(key) out of it, let its pattern leave out \(prefix).…, or `\(command)`"
  }
}
