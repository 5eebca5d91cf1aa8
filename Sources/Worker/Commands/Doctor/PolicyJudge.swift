import RabbitMQManagementAdapter

/// What is to be said of a policy that applies to the worker's queues.
enum PolicyJudge {
  enum Queue: Sendable { case commands, queries, retry, deadLetter }

  /// A part of a policy's definition that does harm, and to which queues.
  private struct Harm {
    let policy: AppliedPolicy
    let key: String
    let value: PolicyValue
    let verdict: Finding.Verdict
    let why: String
    var queues: [String]
  }

  static func judge(_ facts: ManagementFacts, prefix: String, virtualHost: String, into list: inout FindingList) {
    guard let queues = facts.queues.value else { return }
    var harms: [Harm] = []
    var isUnknown = false
    for queue in queues {
      guard let kind = Queue(queue.name, prefix: prefix) else { continue }
      guard let policies = AppliedPolicy.of(queue, facts) else {
        isUnknown = true
        continue
      }
      for policy in policies {
        for (key, value) in policy.definition.sorted(by: { $0.key < $1.key }) {
          guard let (verdict, why) = harm(key, value, to: kind) else { continue }
          if let known = harms.firstIndex(where: { $0.policy == policy && $0.key == key && $0.why == why }) {
            harms[known].queues.append(queue.name)
          } else {
            harms.append(Harm(policy: policy, key: key, value: value, verdict: verdict, why: why, queues: [queue.name]))
          }
        }
      }
    }
    for harm in harms {
      let found = "\(harm.policy.title) sets \(harm.key) to \(harm.value) for \(harm.queues.joined(separator: ", ")): \(harm.why)"
      list.add(harm.verdict, "policies", found, harm.policy.remedy(key: harm.key, prefix: prefix, virtualHost: virtualHost))
    }
    if isUnknown {
      list.notChecked(
        "policies", "policies are hidden from this user, and some queues have not told yet what applies to them",
        mend: "run doctor again in some seconds, or `rabbitmqctl set_user_tags USER monitoring policymaker` for the user in ORDERS_AMQP_MANAGEMENT_URL")
    } else if harms.isEmpty {
      list.ok("policies", "none takes anything from the queues' own arguments")
    }
  }

  /// Nil where this part of a definition does none.
  static func harm(_ key: String, _ value: PolicyValue, to queue: Queue) -> (Finding.Verdict, String)? {
    switch (key, queue) {
    case ("overflow", .commands), ("overflow", .retry):
      guard value != .text("reject-publish") else { return nil }
      return (
        .problem, "it beats their argument, a full queue drops commands, and dead-lettering falls back to at-most-once: retries and dead letters can get lost"
      )
    case ("overflow", .queries):
      return value == .text("reject-publish") ? nil : (.warning, "a full queue drops the oldest question instead of refusing new ones")
    case ("max-length", .deadLetter), ("max-length-bytes", .deadLetter): return (.problem, "dead letters beyond it are dropped, or refused")
    case ("max-length", .commands), ("max-length-bytes", .commands): return (.warning, "beyond it commands are refused, or dropped where overflow says so")
    case ("max-length", .retry), ("max-length-bytes", .retry):
      // A provider's outage of a minute may put as many there.
      let isSmall = if case .number(let limit) = value { limit < (key == "max-length" ? 10_000 : 10_000_000) } else { false }
      return (isSmall ? .problem : .warning, "beyond it workers cannot put a command there, and wait")
    case ("message-ttl", .deadLetter): return (.problem, "dead letters are thrown away after that time")
    case ("message-ttl", .commands): return (.problem, "commands that wait longer become dead letters")
    case ("message-ttl", .retry): return (.warning, "where it is shorter than the rung's own time, retries come too soon")
    case ("expires", _): return (.problem, "a queue that nobody uses for so long is deleted, with what is in it")
    case ("delivery-limit", .commands):
      guard case .number(let limit) = value, (0..<50).contains(limit) else { return nil }
      return (.problem, "commands become dead letters after a few crashes or reconnections of workers")
    case ("delivery-limit", .deadLetter):
      guard case .number(let limit) = value, (0..<1_000).contains(limit) else { return nil }
      return (.problem, "dead letters are dropped after a few crashes or reconnections of workers")
    case ("dead-letter-strategy", .commands), ("dead-letter-strategy", .retry):
      guard value != .text("at-least-once") else { return nil }
      return (.warning, "it has no effect beside the queues' own argument, at-least-once, and whoever set it expects otherwise")
    case ("consumer-timeout", .commands):
      guard case .number(let limit) = value, limit < 300_000 else { return nil }
      return (.warning, "commands are delivered again, and counted, where the database is away for that many milliseconds")
    default: return nil
    }
  }
}

extension PolicyJudge.Queue {
  /// Nil for a queue that is none of the worker's.
  init?(_ name: String, prefix: String) {
    switch name {
    case "\(prefix).commands": self = .commands
    case "\(prefix).queries": self = .queries
    case "\(prefix).dead-letter": self = .deadLetter
    case _ where name.hasPrefix("\(prefix).retry."): self = .retry
    default: return nil
    }
  }
}
