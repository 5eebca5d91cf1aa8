import ClientRuntime
import RabbitMQAdapter
import RabbitMQClient
import RabbitMQManagementAdapter
import Testing

@testable import order_worker

@Suite struct ManagementJudgeTests {
  private static let topology = Topology(prefix: "shop")

  /// A broker that is set up as it should be, but for what `change` makes of it.
  private static func complaints(
    isProduction: Bool = false, hasCompared: Bool = false, _ change: (inout ManagementFacts) -> Void
  ) -> [Finding] {
    var facts = ManagementFacts(
      queues: .value(
        topology.queues.map { queue in
          let arguments = queue.arguments.map { argument -> (String, PolicyValue) in
            switch argument.value {
            case .int64(let number): (argument.name, PolicyValue.number(number))
            case .string(let text): (argument.name, PolicyValue.text(text))
            default: (argument.name, PolicyValue.other)
            }
          }
          return BrokerQueue(name: queue.name, arguments: Dictionary(uniqueKeysWithValues: arguments), members: ["a", "b", "c"], online: ["a", "b", "c"])
        }),
      bindings: .value(["commands", "queries"].map { BrokerBinding(source: "shop.\($0)", destination: "shop.\($0)", routingKey: "#") }),
      flags: .value([FeatureFlag(name: "stream_queue", state: "enabled"), FeatureFlag(name: "khepri_db", state: "disabled")]),
      nodes: .value(["a", "b", "c"].map { BrokerNode(name: $0) }),
      permission: .value(BrokerPermission(user: "worker", configure: "^$", write: #"^(shop\.events|amq\.default)$"#, read: #"^shop\..*"#)))
    change(&facts)
    let setting = ManagementJudge.Setting(
      topology: topology, prefix: "shop", virtualHost: "/", user: "worker", roles: Set(WorkerRole.allCases), isProduction: isProduction,
      hasCompared: hasCompared)
    return ManagementJudge.judge(facts, setting, place: "mq1:15672").filter { $0.verdict != .ok }
  }

  private static func checks(_ change: (inout ManagementFacts) -> Void) -> [String] { complaints(change).map { "\($0.verdict.rawValue) \($0.check)" } }

  private static func policy(_ pattern: String, _ key: String, _ value: PolicyValue, priority: Int = 0, appliesTo: String = "all") -> BrokerPolicy {
    BrokerPolicy(name: "p\(priority)", pattern: pattern, appliesTo: appliesTo, priority: priority, definition: [key: value])
  }

  @Test func ofWhatIsWellNothingIsSaid() { #expect(Self.checks { _ in } == []) }

  @Test(
    arguments: [
      ("overflow", PolicyValue.text("drop-head"), "commands", "problem"), ("overflow", .text("drop-head"), "retry.5s", "problem"),
      ("overflow", .text("reject-publish-dlx"), "commands", "problem"), ("overflow", .text("reject-publish"), "commands", nil),
      ("overflow", .text("drop-head"), "queries", "warning"), ("overflow", .text("drop-head"), "dead-letter", nil),
      ("max-length", .number(10), "dead-letter", "problem"), ("max-length-bytes", .number(10), "dead-letter", "problem"),
      ("max-length", .number(10), "commands", "warning"), ("max-length", .number(10), "retry.1s", "problem"),
      ("max-length", .number(100_000), "retry.1s", "warning"), ("max-length-bytes", .number(1_000_000), "retry.1s", "problem"),
      ("max-length", .number(10), "queries", nil),
      ("message-ttl", .number(60_000), "dead-letter", "problem"), ("message-ttl", .number(60_000), "commands", "problem"),
      ("message-ttl", .number(60_000), "retry.10m", "warning"), ("expires", .number(60_000), "queries", "problem"),
      ("expires", .number(60_000), "dead-letter", "problem"), ("delivery-limit", .number(49), "commands", "problem"),
      ("delivery-limit", .number(50), "commands", nil), ("delivery-limit", .number(-1), "commands", nil),
      ("delivery-limit", .number(20), "dead-letter", "problem"), ("delivery-limit", .number(20), "queries", nil),
      ("dead-letter-strategy", .text("at-most-once"), "commands", "warning"), ("dead-letter-strategy", .text("at-least-once"), "commands", nil),
      ("consumer-timeout", .number(10_000), "commands", "warning"), ("queue-leader-locator", .text("balanced"), "commands", nil),
    ] as [(String, PolicyValue, String, String?)])
  func aPartOfAPolicyIsJudgedByTheQueueThatItMeets(key: String, value: PolicyValue, queue: String, verdict: String?) {
    let found = Self.complaints { $0.policies = .value([Self.policy("^shop\\.\(queue)$", key, value)]) }
    #expect(found.map(\.verdict.rawValue) == [verdict].compactMap(\.self))
    if verdict != nil { #expect(found.first?.found.contains("policy p0 sets \(key) to \(value) for shop.\(queue): ") == true) }
  }

  @Test func onlyThePolicyThatAppliesCounts() {
    let harmful = Self.policy("^shop", "overflow", .text("drop-head"), priority: 1)
    func found(_ policies: BrokerPolicy...) -> Bool { !Self.checks { $0.policies = .value(policies) }.isEmpty }
    #expect(found(harmful))
    #expect(!found(harmful, Self.policy("^shop", "max-length", .number(1), priority: 2, appliesTo: "exchanges")) == false)
    #expect(!found(harmful, Self.policy("^shop", "queue-leader-locator", .text("balanced"), priority: 2)))
    #expect(!found(Self.policy("^other", "overflow", .text("drop-head"))))
    #expect(!found(Self.policy("^shop", "overflow", .text("drop-head"), appliesTo: "classic_queues")))
    #expect(found(Self.policy("^shop", "overflow", .text("drop-head"), appliesTo: "quorum_queues")))
    // One of operators counts beside any other.
    let both = Self.complaints {
      $0.policies = .value([Self.policy("^shop", "queue-leader-locator", .text("balanced"), priority: 9)])
      $0.operatorPolicies = .value([Self.policy("dead-letter$", "max-length", .number(5))])
    }
    #expect(both.map(\.found).first?.hasPrefix("operator policy p0 sets max-length to 5 for shop.dead-letter") == true)
  }

  @Test func wherePoliciesAreHiddenWhatTheQueueTellsCounts() {
    /// `told` is what the queues say of policies, and `lossy` what the commands' own does.
    func found(told: [String: PolicyValue]?, lossy: [String: PolicyValue]?) -> [Finding] {
      Self.complaints { facts in
        facts.policies = .notGiven(.refused)
        facts.operatorPolicies = .notGiven(.refused)
        facts.queues = .value(
          (facts.queues.value ?? []).map { queue in
            var queue = queue
            queue.effective = told
            if queue.name == "shop.commands" { (queue.policy, queue.effective) = ("lossy", lossy) }
            return queue
          })
      }
    }
    #expect(
      found(told: [:], lossy: ["overflow": .text("drop-head")]).first?.found.hasPrefix("policy lossy sets overflow to drop-head for shop.commands") == true)
    #expect(found(told: [:], lossy: [:]) == [])
    #expect(found(told: nil, lossy: [:]).map(\.verdict) == [.notChecked])
    #expect(found(told: nil, lossy: ["overflow": .text("drop-head")]).map(\.verdict) == [.problem, .notChecked])
  }

  private static func queues(_ facts: inout ManagementFacts, _ change: (inout BrokerQueue) -> Void) {
    var queues = facts.queues.value ?? []
    for index in queues.indices where queues[index].name == "shop.commands" { change(&queues[index]) }
    facts.queues = .value(queues)
  }

  private static let changes: [(@Sendable (inout ManagementFacts) -> Void, [String])] = [
    ({ queues(&$0) { $0.type = "classic" } }, ["problem queue types"]),
    ({ queues(&$0) { $0.arguments["x-delivery-limit"] = .number(20) } }, ["problem arguments"]),
    ({ queues(&$0) { $0.arguments["x-overflow"] = nil } }, ["problem arguments"]),
    ({ queues(&$0) { $0.arguments["x-max-length"] = .number(5) } }, ["problem arguments"]),
    ({ queues(&$0) { $0.online = ["a", "b"] } }, ["warning members"]), ({ queues(&$0) { $0.online = ["a"] } }, ["problem members"]),
    ({ queues(&$0) { ($0.members, $0.online) = (["a"], ["a"]) } }, ["warning members"]),
    ({ $0.bindings = .value([]) }, ["problem bindings", "problem bindings"]), ({ $0.bindings = .notGiven(.refused) }, ["not checked bindings"]),
    ({ $0.flags = .value([FeatureFlag(name: "stream_queue", state: "disabled")]) }, ["problem feature flags"]),
    ({ $0.flags = .value([FeatureFlag(name: "quorum_queue", state: "unavailable")]) }, ["problem feature flags"]), ({ $0.flags = .value([]) }, []),
    ({ $0.flags = .notGiven(.refused) }, ["not checked feature flags"]),
    ({ $0.nodes = .value([BrokerNode(name: "a", memoryAlarm: true)]) }, ["problem nodes"]),
    ({ $0.nodes = .value([BrokerNode(name: "a", diskAlarm: true)]) }, ["problem nodes"]),
    ({ $0.nodes = .value([BrokerNode(name: "a", partitions: ["b"])]) }, ["problem nodes"]),
    ({ $0.nodes = .value([BrokerNode(name: "a", running: false)]) }, ["problem nodes"]), ({ $0.nodes = .notGiven(.refused) }, ["not checked nodes"]),
    ({ $0.permission = .value(BrokerPermission(user: "worker", configure: "", write: "", read: ".*")) }, ["problem rights"]),
    ({ $0.permission = .value(BrokerPermission(user: "worker", configure: "", write: ".*", read: "^shop\\.commands$")) }, ["problem rights"]),
    ({ $0.permission = .value(BrokerPermission(user: "worker", configure: ".*", write: ".*", read: ".*")) }, []),
    ({ $0.permission = .notGiven(.refused) }, ["not checked rights"]), ({ $0.clock = ClockReading(skew: .seconds(2), doubt: .zero) }, ["warning clock"]),
    ({ $0.queues = .notGiven(.status(500)) }, ["not checked policies", "not checked queue types"]),
  ]

  @Test(arguments: changes.indices) func eachFactIsJudgedByItself(index: Int) { #expect(Self.checks(Self.changes[index].0) == Self.changes[index].1) }

  /// Only one of these is a matter of tags.
  @Test(arguments: [
    (ManagementAPI.Fault.refused, "does not show it to this user", true), (.status(500), "answers 500", false), (.unreachable("cut off"), "cut off", false),
    (.tooLarge, "more than is read", false),
  ])
  func whyAPartDidNotComeIsSaid(fault: ManagementAPI.Fault, words: String, tells: Bool) {
    let all = Self.complaints { facts in
      facts.queues = .notGiven(fault)
      facts.bindings = .notGiven(fault)
      facts.flags = .notGiven(fault)
      facts.nodes = .notGiven(fault)
      facts.permission = .notGiven(fault)
    }
    #expect(all.count == 6 && all.allSatisfy { $0.verdict == .notChecked && $0.found.contains(words) }, "\(all)")
    #expect(all.allSatisfy { ($0.mend?.contains("set_user_tags") ?? false) == tells }, "\(all)")
  }

  @Test func aUserOfAnotherBackendIsNotTakenForAFault() {
    let found = Self.complaints { $0.permission = .notGiven(.status(404)) }
    #expect(found.map(\.verdict) == [.notChecked] && found.first?.found.contains("LDAP") == true && found.first?.mend == nil)
  }

  @Test func inProductionAWorkerThatMayTooMuchIsNamed() {
    let all = BrokerPermission(user: "worker", configure: ".*", write: ".*", read: ".*")
    let found = Self.complaints(isProduction: true) { $0.permission = .value(all) }
    #expect(found.map(\.verdict) == [.warning])
    #expect(found.first?.found.contains("may configure shop.commands and write shop.commands") == true)
    #expect(found.first?.mend?.contains(#"'^(shop\.events|amq\.default)$' '^shop\..*'"#) == true)
  }

  @Test func argumentsThatAMQPHasComparedAreNotSaidTwice() {
    let found = Self.complaints(hasCompared: true) { Self.queues(&$0) { $0.arguments["x-delivery-limit"] = .number(20) } }
    #expect(found == [])
  }
}
