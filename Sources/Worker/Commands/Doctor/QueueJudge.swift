import RabbitMQAdapter
import RabbitMQClient
import RabbitMQManagementAdapter

/// What is to be said of the queues themselves.
enum QueueJudge {
  static func judge(_ facts: ManagementFacts, _ setting: ManagementJudge.Setting, into list: inout FindingList) {
    guard let all = facts.queues.value else { return }
    let queues = Dictionary(all.map { ($0.name, $0) }) { first, _ in first }
    let own = setting.topology.queues.compactMap { wanted in queues[wanted.name].map { (wanted, $0) } }
    judgeTypes(own.map(\.1), &list)
    if !setting.hasCompared { judgeArguments(own, &list) }
    judgeMembers(own.map(\.1), nodes: facts.nodes.value, &list)
  }

  private static func judgeTypes(_ queues: [BrokerQueue], _ list: inout FindingList) {
    for queue in queues where queue.type != "quorum" {
      list.problem(
        "queue types", "queue \(queue.name) is of type \(queue.type), not quorum: it lives on one node, and can lose what was confirmed",
        mend: BrokerJudge.anew(queue.name))
    }
    if queues.allSatisfy({ $0.type == "quorum" }) { list.ok("queue types", "all are quorum queues") }
  }

  private static func judgeArguments(_ queues: [(Topology.Queue, BrokerQueue)], _ list: inout FindingList) {
    var isGood = true
    for (wanted, queue) in queues {
      let names = Set(queue.arguments.keys).union(wanted.arguments.map(\.name)).sorted()
      let different = names.filter { name in wanted.arguments.first { $0.name == name }?.value.policyValue != queue.arguments[name] }
      if different.isEmpty { continue }
      isGood = false
      let words = different.map { "\($0) is \(queue.arguments[$0].map { "\($0)" } ?? "not set")" }
      list.problem("arguments", "queue \(queue.name) has other arguments than it should (\(words.joined(separator: ", ")))", mend: BrokerJudge.anew(queue.name))
    }
    if isGood { list.ok("arguments", "those of the queues are as they should be") }
  }

  private static func judgeMembers(_ queues: [BrokerQueue], nodes: [BrokerNode]?, _ list: inout FindingList) {
    var isGood = true
    for queue in queues {
      guard let members = queue.members else { continue }
      if let online = queue.online, online.count < members.count {
        isGood = false
        let found = "queue \(queue.name) has \(online.count) of \(members.count) members online"
        let mend = "start the nodes that are away; a node that is gone for good: `rabbitmqctl forget_cluster_node NODE`"
        if online.count * 2 > members.count {
          list.warning("members", found, mend: mend)
        } else {
          list.problem("members", "\(found): it takes and gives nothing", mend: mend)
        }
      }
      let wanted = min(nodes?.count ?? 0, 3)
      if members.count < wanted {
        isGood = false
        list.warning(
          "members", "queue \(queue.name) has \(members.count) members on a cluster of \(nodes?.count ?? 0): it does not outlive as many nodes as it could",
          mend: "`rabbitmq-queues grow NODE all --queue-pattern '\(queue.name)'` for each node without one")
      }
    }
    if isGood && !queues.isEmpty && nodes != nil { list.ok("members", "each queue has all its members online") }
  }
}

extension FieldValue {
  fileprivate var policyValue: PolicyValue? {
    switch self {
    case .int64(let number): .number(number)
    case .string(let text): .text(text)
    default: .other
    }
  }
}
