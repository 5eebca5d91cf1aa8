import RabbitMQManagementAdapter

/// What is to be said of the cluster's nodes and of what they are allowed to do.
enum NodeJudge {
  /// Without the first there are no quorum queues, and without the second they dead-letter at most once. Versions that cannot be without them do not list them.
  private static let neededFlags = ["quorum_queue", "stream_queue"]

  static func judge(_ facts: ManagementFacts, into list: inout FindingList) {
    judgeFlags(facts.flags, &list)
    judgeNodes(facts.nodes, &list)
  }

  private static func judgeFlags(_ answer: ManagementAnswer<[FeatureFlag]>, _ list: inout FindingList) {
    guard let flags = answer.value else { return ManagementJudge.tellIfNotGiven(answer, "feature flags", &list) }
    let off = flags.filter { neededFlags.contains($0.name) && $0.state != "enabled" }
    for flag in off {
      let loss =
        flag.name == "stream_queue"
        ? "queues dead-letter at most once, whatever their arguments say: retries and dead letters can get lost" : "there are no quorum queues"
      list.problem(
        "feature flags", "\(flag.name) is \(flag.state): \(loss)", mend: "`rabbitmqctl enable_feature_flag \(flag.name)`, once all nodes have the same version")
    }
    if off.isEmpty { list.ok("feature flags", "those that at-least-once dead-lettering needs are enabled") }
  }

  private static func judgeNodes(_ answer: ManagementAnswer<[BrokerNode]>, _ list: inout FindingList) {
    guard let nodes = answer.value else { return ManagementJudge.tellIfNotGiven(answer, "nodes", &list) }
    let before = list.all.count
    for node in nodes {
      if !node.running {
        list.problem("nodes", "node \(node.name) is not running", mend: "start it; if it is gone for good: `rabbitmqctl forget_cluster_node \(node.name)`")
        continue
      }
      if node.memoryAlarm == true {
        list.problem(
          "nodes", "node \(node.name) has an alarm for memory: the cluster takes no messages",
          mend: "see `rabbitmq-diagnostics memory_breakdown`, empty the longest queues, or raise vm_memory_high_watermark")
      }
      if node.diskAlarm == true {
        list.problem(
          "nodes", "node \(node.name) has an alarm for its disk: the cluster takes no messages",
          mend: "make room on the disk, or lower disk_free_limit where it asks for more than is needed")
      }
      if let partitions = node.partitions, !partitions.isEmpty {
        list.problem(
          "nodes", "node \(node.name) is apart from \(partitions.joined(separator: ", "))", mend: "mend the network, then restart the smaller part's nodes")
      }
    }
    if list.all.count == before { list.ok("nodes", "\(nodes.count) of \(nodes.count) run, without alarms") }
  }
}
