import ClientRuntime
import RabbitMQAdapter

/// What is to be said of RabbitMQ as AMQP shows it.
enum BrokerJudge {
  typealias Host = (place: String, result: Result<BrokerFacts, Failure>)

  /// A host that cannot be used; `isRefused` where it is there and does not want this user.
  struct Failure: Error, Sendable, Equatable {
    let reason: String
    let isRefused: Bool
  }

  static func judge(_ hosts: [Host], now: Int64) -> [Finding] {
    hosts.flatMap { host in
      var list = FindingList(.rabbitmq, at: host.place)
      switch host.result {
      case .failure(let failure):
        list.problem("host", failure.reason, mend: ConnectionAdvice.rabbitmq(failure.reason, place: host.place, isRefused: failure.isRefused))
      case .success(let facts):
        list.ok("host", facts.server)
        judgeVersion(facts.server, &list)
        if let end = facts.certificateEnd {
          CertificateJudge.judge(end, now: now, mend: "renew what ssl_options.certfile of the node names; it reads the file again by itself", into: &list)
        }
      }
      return list.all
    }
  }

  private static func judgeVersion(_ server: String, _ list: inout FindingList) {
    let words = server.split(separator: " ")
    let version = words.dropFirst().first?.split(separator: ".").compactMap { Int($0) } ?? []
    if version.count >= 2, (version[0], version[1]) < (3, 10) {
      list.problem(
        "version", "version \(words[1]) is older than 3.10, from which on quorum queues dead-letter at least once: retries and dead letters can get lost",
        mend: "upgrade the cluster to 3.10 or newer")
    }
  }

  /// - Parameter comparedElsewhere: whether the management API has shown the arguments.
  static func judge(_ topology: TopologyFacts, comparedElsewhere: Bool) -> [Finding] {
    var list = FindingList(.rabbitmq)
    if topology.missing.isEmpty { list.ok("exchanges and queues", "all are there") }
    for fault in topology.missing { list.problem("exchanges and queues", fault.description, mend: SchemaJudge.setUp) }
    guard let different = topology.different else {
      if !comparedElsewhere {
        list.notChecked(
          "arguments", "this user may not declare queues, which is how AMQP compares their arguments",
          mend: "set ORDERS_AMQP_MANAGEMENT_URL, or run doctor with the set-up's user in --amqp-url")
      }
      return list.all
    }
    for fault in different {
      list.problem("arguments", fault.description, mend: anew(fault.name))
    }
    if different.isEmpty { list.ok("arguments", "those of the queues are as they should be") }
    return list.all
  }

  static func anew(_ queue: String) -> String {
    "arguments cannot be changed: let workers empty the queue, delete it (`rabbitmqctl delete_queue \(queue.shellWord)`), and run `order-worker setup`"
  }
}

extension TopologyFault {
  fileprivate var name: String {
    switch self {
    case .missingExchange(let name), .missingQueue(let name), .differentQueue(let name, _): name
    }
  }
}
