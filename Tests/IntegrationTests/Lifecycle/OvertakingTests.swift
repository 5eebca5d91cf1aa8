import RabbitMQClient
import TestSupport
import Testing

/// Commands of one order that three workers take from each other's hands.
@Suite(.serialized) struct OvertakingTests {
  @Test(.timeLimit(.minutes(3))) func updatesRightBehindTheirCreatesAreAllAccepted() async throws {
    let count = 1_000
    let (upstream, crew) = try await start()
    let pairs = (0..<count).map { order(upstream, $0) }
    let commands = pairs.enumerated().flatMap { number, pair in
      [pair.create(id: "create \(number)"), pair.update(to: "confirmed", id: "confirm \(number)")]
    }
    try await upstream.send(commands)
    try await upstream.answered(commands.map { $0.properties.messageID! })
    #expect(await eventually { upstream.journal.count == 2 * count }, "\(upstream.journal.count) events")
    var differences = upstream.faults
    let rows = try await upstream.world.orderRows()
    var overtook = 0
    for (number, pair) in pairs.enumerated() {
      var judge = Judge()
      for (id, status, version) in [("create \(number)", "pending", 1), ("confirm \(number)", "confirmed", 2)] {
        let answers = upstream.answers(to: id).map { "\($0.outcome) \($0.order_id ?? "?") \($0.status ?? "?") \($0.version ?? 0)" }
        judge.equal(id, answers, ["accepted \(pair.order) \(status) \(version)"])
      }
      judge.equal("events of \(number)", upstream.journal.events(of: pair.order).map(\.type), ["order.created", "order.confirmed"])
      judge.equal("causes of \(number)", upstream.journal.events(of: pair.order).map(\.causationid), ["create \(number)", "confirm \(number)"])
      judge.equal("order \(number)", rows[pair.order].map { "\($0.status) \($0.version) \($0.reservation)" }, "confirmed 2 allocated")
      differences += judge.differences
      // A rung of the ladder takes a second.
      if let took = upstream.duration(toAnswerOf: "confirm \(number)"), took > .seconds(1) { overtook += 1 }
    }
    print("overtaking: \(count) pairs of create and update, 3 workers: \(overtook) updates came by the ladder; \(differences.count) differences")
    try await end(upstream, crew, differences)
  }

  @Test(.timeLimit(.minutes(3))) func aBurstOfUpdatesOfOneOrderIsAnsweredAsItsHistorySays() async throws {
    let (bursts, each) = (10, 20)
    let (upstream, crew) = try await start()
    let orders = (0..<bursts).map { order(upstream, $0) }
    for (number, order) in orders.enumerated() {
      try await upstream.accepted([order.create(id: "create \(number)")])
      try await upstream.accepted([order.update(to: "confirmed", id: "confirm \(number)")])
      let burst = (0..<each).map { order.update(to: $0 % 2 == 0 ? "on_hold" : "confirmed", id: "update \(number)-\($0)") }
      try await upstream.send(burst)
      try await upstream.answered(burst.map { $0.properties.messageID! })
    }
    let history = try await upstream.world.historyRows()
    let versions = orders.reduce(0) { $0 + (history[$1.order]?.count ?? 0) }
    let refused = bursts * (each + 2) - versions
    #expect(await eventually { upstream.journal.count == versions + refused }, "\(upstream.journal.count) events, \(versions) versions, \(refused) refused")
    var differences = upstream.faults
    for (number, order) in orders.enumerated() {
      let history = history[order.order] ?? []
      var judge = Judge()
      judge.equal("versions of \(number)", history.map(\.version), Array(1...Int64(max(1, history.count))))
      judge.equal("events of \(number)", upstream.journal.events(of: order.order).compactMap(\.version), history.map(\.version))
      for update in 0..<each { self.judge("update \(number)-\(update)", to: update % 2 == 0 ? "on_hold" : "confirmed", upstream, history, &judge) }
      differences += judge.differences
    }
    print(
      "overtaking: \(bursts) bursts of \(each) updates of one order, 3 workers: \(versions - 2 * bursts) accepted, \(refused) refused; \(differences.count) differences"
    )
    #expect(versions > 2 * bursts)
    try await end(upstream, crew, differences)
  }

  /// The answer must be the one that the order's history says: the version that it made, or where the order stood when it could make none.
  private func judge(_ id: String, to status: String, _ upstream: Upstream, _ history: [ProductWorld.HistoryRow], _ judge: inout Judge) {
    let answers = upstream.answers(to: id)
    judge.equal("\(id): replies", answers.count, 1)
    let version = answers.first?.version ?? 0
    let row = history.first { $0.version == version }
    judge.equal("\(id): status at \(version)", answers.first?.status, row?.status)
    let events = upstream.journal.events(causedBy: id)
    switch answers.first?.outcome {
    case "accepted":
      judge.equal("\(id): history", row.map { [$0.message, $0.status] }, [id, status])
      judge.equal("\(id): events", events.map(\.version), [version])
    case "rejected":
      judge.equal("\(id): code", answers.first?.error?.code, "illegal_transition")
      // From the other status it would have been legal.
      judge.equal("\(id): refused at", row?.status, status)
      judge.equal("\(id): events", events.map(\.type), ["order.command_rejected"])
      judge.equal("\(id): history", history.contains { $0.message == id }, false)
    case let other: judge.equal("\(id): outcome", other, "accepted or rejected")
    }
  }

  private func order(_ upstream: Upstream, _ number: Int) -> OrderCommands {
    OrderCommands(world: upstream.world, order: CommandFlow.orderID(number + 1), product: "p", price: "0", method: nil)
  }

  private func start() async throws -> (Upstream, WorkerCrew) {
    let world = try await ProductWorld.make()
    try await world.setStock(["p": 1_000_000])
    let (upstream, crew) = (try await Upstream(world), WorkerCrew(world))
    try #require(await crew.start(3), "\(world.logTail())")
    return (upstream, crew)
  }

  private func end(_ upstream: Upstream, _ crew: WorkerCrew, _ differences: [String]) async throws {
    #expect(differences.isEmpty, "\(differences.count) differences:\n\(differences.prefix(20).joined(separator: "\n"))\n\(upstream.world.logTail(5))")
    #expect(await crew.end(), "\(upstream.world.logTail())")
    for queue in ["commands", "dead-letter", "retry.1s", "retry.5s"] { #expect(try await upstream.world.depth(queue) == 0, "\(queue)") }
    await upstream.close()
    if differences.isEmpty { try await upstream.world.remove() }
  }
}
