import ClientRuntime
import RabbitMQClient
import TestSupport

/// Orders that are confirmed at once, over a provider that declines, forgets to answer, breaks off and is away, with workers that are killed meanwhile.
struct PaymentStorm: Sendable {
  private static let workers = 3
  /// How long anything may wait once the provider is well.
  private static let patience = Duration.seconds(60)
  private let upstream: Upstream
  private let sandbox: PaymentSandbox
  private let plan: PaymentPlan
  private let seed: UInt64
  private var world: ProductWorld { upstream.world }

  /// The settings of a world for it: everything is given up soon enough to see it.
  static func settings(_ sandbox: PaymentSandbox) -> [String: String] {
    sandbox.settings.merging(["ORDERS_PAYMENT_TIMEOUT": "2s", "ORDERS_PAYMENT_GIVE_UP": "20s"]) { $1 }
  }

  init(_ upstream: Upstream, _ sandbox: PaymentSandbox, orders: Int, seed: UInt64) {
    self.upstream = upstream
    self.sandbox = sandbox
    self.seed = seed
    plan = PaymentPlan(count: orders, seed: seed)
  }

  /// Returns every difference by name; none is success.
  func differences(kills: Int) async throws -> [String] {
    let start = ContinuousClock.now
    try await world.setStock(["p": 2 * Int64(plan.items.count)])
    let crew = WorkerCrew(world)
    guard await crew.start(Self.workers) else { return ["the workers did not connect"] }
    // About as long as the kills take, so that they fall into the work.
    async let fed: Void = feed(over: .milliseconds(max(6_000, plan.items.count * 4)))
    async let weather: Void = weather()
    var differences = await killed(kills, crew)
    try await fed
    try await weather
    let well = ContinuousClock.now
    let settled = try await eventually(within: Self.patience) {
      try? await Task.sleep(for: .milliseconds(50))
      guard try await world.number("SELECT count(*) FROM payments WHERE state = 'open'") == 0 else { return false }
      return try await world.number("SELECT count(*) FROM processed_commands WHERE outcome IS NOT NULL") == plan.items.count
    }
    let waited = ContinuousClock.now - well
    if !settled { differences.append("something waits still, \(waited) after the provider is well: \(try await waiting())") }
    let unanswered = try await askAgain()
    let drained = try await eventually(within: .seconds(30)) {
      try? await Task.sleep(for: .milliseconds(50))
      return try await world.number("SELECT count(*) FROM outbox") == 0
    }
    if !drained { differences.append("\(try await world.number("SELECT count(*) FROM outbox")) rows are still in the outbox") }
    if !(await crew.end()) { differences.append("a worker ended by itself, or not as it should on SIGTERM") }
    let orders = try await world.orderRows()
    let audit = PaymentAudit(plan: plan, ledger: try await sandbox.ledger(), payments: try await world.paymentRows(), orders: orders)
    differences += upstream.faults + audit.differences + plan.items.flatMap { story(of: $0, orders[$0.order]) }
    if try await world.stock() != ["p": .init(onHand: 2 * Int64(plan.items.count), reserved: 2 * Int64(plan.items.count))] {
      differences.append("stock: \(try await world.stock()) for \(plan.items.count) orders of two")
    }
    for queue in ["commands", "dead-letter"] where try await world.depth(queue) > 0 { differences.append("\(try await world.depth(queue)) in \(queue)") }
    let keptBack = plan.items.count { $0.end != "payment_unavailable" && upstream.answers(to: $0.id).first?.error?.code == "payment_unavailable" }
    if keptBack > plan.items.count / 5 { differences.append("\(keptBack) orders were given up that the provider would have answered") }
    let confirmed = orders.values.count { $0.status == "confirmed" }
    print(
      """
      payments: \(plan.items.count) orders, seed \(seed), \(Self.workers) workers, \(kills) kills: \(confirmed) confirmed, \(keptBack) kept back until given up, \(audit.ledger.count) effects and \
      declines, \(PaymentPlan.money(audit.heldMinor)) held; all settled \(waited) after the provider was well, \(unanswered) answered only when asked again, \
      \(upstream.journal.count) events and \(upstream.journal.repeats) repeats, \(ContinuousClock.now - start) in all; \(differences.count) differences
      """)
    return differences
  }

  private func feed(over time: Duration) async throws {
    let start = ContinuousClock.now
    let chunk = 20
    for first in stride(from: 0, to: plan.items.count, by: chunk) {
      try? await Task.sleep(until: start + time * first / plan.items.count, clock: .continuous)
      try await upstream.send(plan.items[first..<min(first + chunk, plan.items.count)].map(command))
    }
  }

  private func command(_ item: PaymentPlan.Item) -> Publication { PaymentPlan.create(item, in: world).create(id: item.id, confirm: true) }

  /// What the provider goes through; well at the end.
  private func weather() async throws {
    for (mode, pause) in [("unavailable", 1_500), ("ok", 2_500), ("hang", 1_500), ("reset", 2_500), ("ok", 300)] {
      try? await Task.sleep(for: .milliseconds(pause))
      try await sandbox.mode(mode)
    }
  }

  /// Kills workers by turns, while there is something to do.
  private func killed(_ kills: Int, _ crew: WorkerCrew) async -> [String] {
    var random = SeededGenerator(seed: seed &+ 1)
    for kill in 1..<kills + 1 {
      try? await Task.sleep(for: .milliseconds(Int.random(in: 300...1_200, using: &random)))
      if !(await crew.kill(Int.random(in: 0..<Self.workers, using: &random))) { return ["kill \(kill): the new worker did not connect"] }
    }
    return []
  }

  /// Who was not answered asks again, with the same message: how many had to.
  private func askAgain() async throws -> Int {
    _ = await eventually(within: .seconds(10)) { upstream.answeredCount == plan.items.count }
    let open = plan.items.filter { upstream.answers(to: $0.id).isEmpty }
    try await upstream.send(open.map(command))
    try await upstream.answered(open.map(\.id), within: .seconds(20))
    for item in open where upstream.answers(to: item.id).contains(where: { $0.outcome != "duplicate" }) {
      throw Unexpected("\(item.id) was asked again and is no duplicate: \(upstream.answers(to: item.id))")
    }
    return open.count
  }

  private func waiting() async throws -> String {
    let open = try await world.paymentRows().filter { $0.value.state == "open" }
    let methods = plan.items.filter { item in open.values.contains { $0.order == item.order } }.map(\.method)
    return
      "\(open.count) operations are open, of \(methods.prefix(5)); \(try await world.number("SELECT count(*) FROM processed_commands WHERE outcome IS NULL")) claims"
  }

  /// What one order's replies and events tell, and its row.
  private func story(of item: PaymentPlan.Item, _ row: ProductWorld.OrderRow?) -> [String] {
    var judge = Judge()
    let answers = upstream.answers(to: item.id)
    let ends = Set(answers.map { ($0.original ?? $0.outcome) == "accepted" ? "accepted" : $0.error?.code ?? $0.outcome })
    // The breaker may have kept anybody's call back until it was given up: then nothing was charged, which the audit looks after.
    let end = ends == ["payment_unavailable"] ? "payment_unavailable" : item.end
    judge.equal("answers", ends, [end])
    judge.equal("orders answered", Set(answers.map(\.order_id)), [item.order])
    // A worker that is killed between sending an answer and forgetting it leaves the row to the relay, which sends the same again.
    judge.equal("first answers", answers.count { $0.outcome != "duplicate" } <= 2, true)
    judge.equal("version answered", Set(answers.map(\.version)), [row?.version])
    judge.equal("status answered", Set(answers.map(\.status)), [row?.status])
    var events = upstream.journal.events(of: item.order).map(\.type)
    // Told once, where its outcome was unknown for longer than the timeout.
    let pending = events.firstIndex(of: "order.payment_pending").map { events.remove(at: $0) } != nil
    judge.equal("causes", Set(upstream.journal.events(of: item.order).filter { $0.type != "order.payment_pending" }.map(\.causationid)), [item.id])
    judge.equal("correlations", Set(upstream.journal.events(of: item.order).map(\.correlationid)), [item.id])
    let versions = Int64(pending ? 1 : 0)
    switch end {
    case "accepted":
      judge.equal("events", events, ["order.created", "order.confirmed"])
      judge.equal("row", row.map { [$0.status, $0.payment, $0.reservation] }, ["confirmed", "authorized", "allocated"])
      judge.equal("version", row?.version, 2 + versions)
    case "payment_unavailable" where !pending:
      judge.equal("events", events, ["order.created"])
      judge.equal("row", row.map { [$0.status, $0.payment, $0.reservation] }, ["pending", "none", "held"])
      judge.equal("version", row?.version, 1)
    default:
      judge.equal("events", events, ["order.created", "order.payment_failed"])
      judge.equal("row", row.map { [$0.status, $0.payment, $0.reservation] }, ["pending", "failed", "held"])
      judge.equal("version", row?.version, 2 + versions)
    }
    return judge.differences.map { "\(item.id), \(item.method), \(item.order): \($0)" }
  }
}
