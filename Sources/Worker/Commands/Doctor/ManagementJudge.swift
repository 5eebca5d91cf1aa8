import RabbitMQAdapter
import RabbitMQClient
import RabbitMQManagementAdapter

/// What is to be said of RabbitMQ as its management API shows it.
enum ManagementJudge {
  /// What the API is asked for, and what is not checked without it.
  static let checks = ["policies", "queue types", "bindings", "feature flags", "nodes"]

  struct Setting {
    let topology: Topology
    let prefix: String
    let virtualHost: String
    let user: String
    let roles: Set<WorkerRole>
    let isProduction: Bool
    /// Whether AMQP has compared the queues' arguments already.
    let hasCompared: Bool
  }

  static func withoutURL() -> [Finding] {
    var list = FindingList(.rabbitmq)
    for check in checks {
      list.notChecked(
        check, "only RabbitMQ's management API knows", mend: "set ORDERS_AMQP_MANAGEMENT_URL, or --amqp-management-url http://user:password@host:15672")
    }
    return list.all
  }

  static func failed(_ fault: ManagementAPI.Fault, place: String) -> [Finding] {
    var list = FindingList(.rabbitmq, at: place)
    let (found, mend) = sentence(fault)
    list.problem("management API", found, mend: mend)
    for check in checks { list.notChecked(check, "the management API did not answer") }
    return list.all
  }

  private static func sentence(_ fault: ManagementAPI.Fault) -> (String, String) {
    switch fault {
    case .unreachable(let reason):
      ("it cannot be reached: \(reason)", "`rabbitmq-plugins enable rabbitmq_management` on the node, and correct ORDERS_AMQP_MANAGEMENT_URL")
    case .refused: ("it refuses the user", "name one in ORDERS_AMQP_MANAGEMENT_URL who has the tag: `rabbitmqctl set_user_tags USER monitoring`")
    case .status(let status): ("it answers \(status)", "correct the path in ORDERS_AMQP_MANAGEMENT_URL: the API is at /api below it")
    case .tooLarge: ("it answers more than is read", "correct ORDERS_AMQP_MANAGEMENT_URL: port 15672 is usual")
    case .notUnderstood: ("what it answers is not what RabbitMQ answers", "correct ORDERS_AMQP_MANAGEMENT_URL: port 15672 is usual")
    }
  }

  static func judge(_ facts: ManagementFacts, _ setting: Setting, place: String) -> [Finding] {
    var host = FindingList(.rabbitmq, at: place)
    host.ok("management API", "RabbitMQ \(facts.version)")
    if let clock = facts.clock { ClockJudge.judge(clock, into: &host) }
    var list = FindingList(.rabbitmq)
    PolicyJudge.judge(facts, prefix: setting.prefix, virtualHost: setting.virtualHost, into: &list)
    QueueJudge.judge(facts, setting, into: &list)
    judgeBindings(facts, setting, &list)
    NodeJudge.judge(facts, into: &list)
    PermissionJudge.judge(facts.permission, setting, into: &list)
    for check in ["policies", "queue types"] { tellIfNotGiven(facts.queues, check, &list) }
    tellIfNotGiven(facts.bindings, "bindings", &list)
    return host.all + list.all
  }

  /// For a part that did not come though others did; `tag` is what a user needs to see it.
  static func tellIfNotGiven<Value>(_ answer: ManagementAnswer<Value>, _ check: String, tag: String = "monitoring", _ list: inout FindingList) {
    guard case .notGiven(let fault) = answer else { return }
    switch fault {
    case .refused:
      list.notChecked(
        check, "the management API does not show it to this user", mend: "`rabbitmqctl set_user_tags USER \(tag)` for the user in ORDERS_AMQP_MANAGEMENT_URL")
    case .unreachable(let reason): list.notChecked(check, "the management API did not answer this: \(reason)", mend: "run it again")
    case .status(let status): list.notChecked(check, "the management API answers \(status) to this", mend: "look into the node's log, and run it again")
    case .notUnderstood, .tooLarge: list.notChecked(check, sentence(fault).0)
    }
  }

  private static func judgeBindings(_ facts: ManagementFacts, _ setting: Setting, _ list: inout FindingList) {
    guard let bindings = facts.bindings.value else { return }
    let missing = setting.topology.queues.filter { queue in
      guard let exchange = queue.boundTo else { return false }
      return !bindings.contains { $0.source == exchange && $0.destination == queue.name && $0.routingKey == "#" }
    }
    for queue in missing {
      list.problem(
        "bindings", "queue \(queue.name) is not bound to exchange \(queue.boundTo ?? "") by #: what is published there is lost", mend: SchemaJudge.setUp)
    }
    if missing.isEmpty { list.ok("bindings", "what is published reaches its queue") }
  }
}
