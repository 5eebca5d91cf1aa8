import RabbitMQClient
import TestSupport

/// Every situation of an order against every status that a command may name: a cell each, with an order and a product of its own.
struct TransitionMatrix: Sendable {
  struct Cell: Sendable {
    let from: Situation
    let to: String
    let commands: OrderCommands
    let start: Standing
    var probe: String { "\(from.rawValue) to \(to)" }
    var order: String { commands.order }
  }

  static let unknownWord = "lost"
  private static let reason = "because of the matrix"
  private let upstream: Upstream
  private let paid: Bool
  let cells: [Cell]

  init(_ upstream: Upstream, from situations: [Situation], paid: Bool) {
    self.upstream = upstream
    self.paid = paid
    cells = situations.flatMap { from in (ExpectedTransition.statuses + [Self.unknownWord]).map { (from, $0) } }.enumerated().map { number, cell in
      let commands = OrderCommands(
        world: upstream.world, order: CommandFlow.orderID(number + 1), product: "product-\(number)", price: paid ? "9.99" : "0", method: paid ? "pm_ok" : nil)
      return Cell(from: cell.0, to: cell.1, commands: commands, start: cell.0.standing(paid: paid))
    }
  }

  /// Brings every order to where its cell begins; returns what stands otherwise than it should.
  func prepare() async throws -> [String] {
    try await upstream.world.setStock(Dictionary(uniqueKeysWithValues: cells.map { ($0.commands.product, $0.from.onHandBefore) }))
    let creates = cells.map { ($0.from, $0.commands.create(id: "\($0.probe): create")) }
    try await upstream.accepted(creates.filter { $0.0 != .rejected }.map(\.1))
    try await upstream.send(creates.filter { $0.0 == .rejected }.map(\.1))
    for step in 0..<4 {
      try await upstream.accepted(
        cells.filter { $0.from.way.count > step }.map { $0.commands.update(to: $0.from.way[step], id: "\($0.probe): step \(step)") })
    }
    // A void and an expiry come by themselves.
    var found: [String] = []
    _ = try await eventually(within: .seconds(30)) {
      found = try await standings().filter { $0.cell.start != $0.now }.map { "\($0.cell.probe): starts from \($0.now) instead of \($0.cell.start)" }
      return found.isEmpty
    }
    return found
  }

  /// Sends each cell's command, and returns every difference from what the contract says follows.
  func differences() async throws -> [String] {
    let method = paid ? #","payment_method":"pm_ok""# : ""
    try await upstream.send(cells.map { $0.commands.update(to: $0.to, id: $0.probe, more: #","reason":"\#(Self.reason)"\#(method)"#) })
    try await upstream.answered(cells.map(\.probe))
    let told = cells.filter { $0.to != Self.unknownWord }.reduce(0) { $0 + max(1, expected($1)?.count ?? 1) }
    let before = cells.reduce(0) { $0 + Int($1.start.version) }
    _ = await eventually(within: .seconds(30)) { upstream.journal.count >= before + told }
    let (history, audit, claims) = (try await upstream.world.historyRows(), try await upstream.world.auditRows(), try await upstream.world.claims())
    var found = upstream.faults
    if upstream.journal.count != before + told { found.append("\(upstream.journal.count) events instead of \(before + told)") }
    for (cell, now) in try await standings() {
      let rows = Rows(now: now, history: history[cell.order] ?? [], audit: audit[cell.probe] ?? [], claim: claims[cell.probe])
      let wrong: [String]
      if cell.to == Self.unknownWord {
        wrong = invalid(cell, rows)
      } else if let versions = expected(cell) {
        wrong = legal(cell, versions, rows)
      } else {
        wrong = illegal(cell, rows)
      }
      found += wrong.map { "\(cell.probe): \($0)" }
    }
    return found
  }

  /// What the provider was asked for, order by order: nothing twice, and the whole amount.
  func differences(from ledger: [PaymentSandbox.Line]) -> [String] {
    let asked = Dictionary(grouping: ledger, by: \.order_id)
    return cells.flatMap { cell in
      var judge = Judge()
      let payment = (expected(cell)?.last?.standing ?? cell.start).payment
      let due: [String]
      switch payment {
      case "authorized": due = ["authorize"]
      case "captured": due = ["authorize", "capture"]
      case "voided": due = ["authorize", "void"]
      default: due = []
      }
      let lines = asked[cell.order] ?? []
      judge.equal("ledger", lines.map(\.operation), due)
      judge.equal("ledger's amounts", Set(lines.map { "\($0.result) \($0.amount) \($0.currency)" }), due.isEmpty ? [] : ["ok 19.98 USD"])
      return judge.differences.map { "\(cell.probe): \($0)" }
    }
  }

  /// What is stored about a cell after its command.
  private struct Rows {
    let now: Standing
    let history: [ProductWorld.HistoryRow]
    let audit: [ProductWorld.AuditRow]
    let claim: String??
  }

  private func expected(_ cell: Cell) -> [(event: String, standing: Standing)]? {
    ExpectedTransition.all.first { $0.from == cell.from && $0.to == cell.to }?.versions(after: cell.start, paid: paid)
  }

  private func legal(_ cell: Cell, _ versions: [(event: String, standing: Standing)], _ rows: Rows) -> [String] {
    var judge = Judge()
    let next = versions[0].standing
    let answers = upstream.answers(to: cell.probe)
    judge.equal("replies", answers.count, 1)
    judge.equal("outcome", answers.first?.outcome, "accepted")
    judge.equal("reply", answers.first.map { "\($0.order_id ?? "?") \($0.status ?? "?") \($0.version ?? 0)" }, "\(cell.order) \(cell.to) \(next.version)")
    judge.equal("error", answers.first?.error?.code, nil)
    let events = upstream.journal.events(of: cell.order).filter { $0.version ?? 0 > cell.start.version || $0.sequence == nil }
    judge.equal("events", events.map(\.type), versions.map(\.event))
    for (event, version) in zip(events, versions) { judge.event(event, version.standing) }
    judge.equal("previous status", events.map(\.previousStatus), versions.enumerated().map { $0.offset == 0 ? cell.from.status : cell.to })
    judge.equal("cause", events.first?.causationid, cell.probe)
    judge.equal("correlation", events.first?.correlationid, cell.probe)
    judge.equal("order and stock", rows.now, versions.last!.standing)
    let history = rows.history.filter { $0.version > cell.start.version }
    judge.equal("history", history.map(\.version), versions.map(\.standing.version))
    for (row, version) in zip(history, versions) {
      judge.equal("history of version \(row.version)", [row.status, row.payment], [version.standing.status, version.standing.payment])
    }
    judge.equal("previous status in history", history.map(\.previous), events.map(\.previousStatus))
    judge.equal("history's cause", history.first.map { [$0.message, $0.reason, $0.actor] }, [cell.probe, Self.reason, "anonymous"])
    let actions = ["order.update_status", "payment.void"].prefix(versions.count)
    let audit = actions.map { ProductWorld.AuditRow(order: cell.order, action: $0, outcome: "accepted", actor: "anonymous") }
    judge.equal("audit", rows.audit.sorted { $0.action < $1.action }, audit)
    judge.equal("claim", rows.claim, "accepted")
    return judge.differences
  }

  private func illegal(_ cell: Cell, _ rows: Rows) -> [String] {
    var judge = Judge()
    let answers = upstream.answers(to: cell.probe)
    judge.equal("replies", answers.count, 1)
    judge.equal("outcome", answers.first.map { [$0.outcome, $0.error?.code] }, ["rejected", "illegal_transition"])
    judge.equal(
      "reply", answers.first.map { "\($0.order_id ?? "?") \($0.status ?? "?") \($0.version ?? 0)" },
      "\(cell.order) \(cell.from.status) \(cell.start.version)")
    judge.equal("a sentence", answers.first?.error?.message.isEmpty, false)
    let events = upstream.journal.events(causedBy: cell.probe)
    judge.equal("events", events.map(\.type), ["order.command_rejected"])
    judge.equal("event's error", events.first?.refusal?.error.code, "illegal_transition")
    judge.equal("event's command", events.first?.refusal.map { [$0.command.type, $0.command.status] }, ["order.update_status", cell.to])
    judge.equal("event's order", events.first?.refusal?.order.map { "\($0.status) \($0.version)" }, "\(cell.from.status) \(cell.start.version)")
    judge.equal("correlation", events.first?.correlationid, cell.probe)
    judge.equal("order and stock", rows.now, cell.start)
    judge.equal("history", rows.history.map(\.version), Array(1...cell.start.version))
    judge.equal("audit", rows.audit, [.init(order: cell.order, action: "order.update_status", outcome: "illegal_transition", actor: "anonymous")])
    judge.equal("claim", rows.claim, "rejected")
    return judge.differences
  }

  private func invalid(_ cell: Cell, _ rows: Rows) -> [String] {
    var judge = Judge()
    let answers = upstream.answers(to: cell.probe)
    judge.equal("replies", answers.count, 1)
    judge.equal("outcome", answers.first.map { [$0.outcome, $0.error?.code] }, ["dead_lettered", "invalid"])
    judge.equal("details", answers.first?.error?.details.map { "\($0.path) \($0.code)" }, ["status format"])
    judge.equal("events", upstream.journal.events(causedBy: cell.probe).map(\.type), [])
    judge.equal("order and stock", rows.now, cell.start)
    judge.equal("history", rows.history.map(\.version), Array(1...cell.start.version))
    judge.equal("claim", rows.claim, .none)
    return judge.differences
  }

  private func standings() async throws -> [(cell: Cell, now: Standing)] {
    let (orders, stock) = (try await upstream.world.orderRows(), try await upstream.world.stock())
    return cells.map { cell in
      guard let order = orders[cell.order], let stock = stock[cell.commands.product] else { return (cell, .missing) }
      return (
        cell,
        Standing(
          status: order.status, payment: order.payment, reservation: order.reservation, version: order.version, onHand: stock.onHand, reserved: stock.reserved)
      )
    }
  }
}

/// Collects what is not as it should be, by name.
struct Judge {
  private(set) var differences: [String] = []

  mutating func equal<Value: Equatable>(_ name: String, _ found: Value, _ expected: Value) {
    if found != expected { differences.append("\(name): \(found) instead of \(expected)") }
  }

  mutating func event(_ event: OrderEvent, _ standing: Standing) {
    equal("\(event.type)'s version", event.version, standing.version)
    equal(
      "\(event.type)'s order", event.order.map { [$0.status, $0.payment_status, $0.reservation] }, [standing.status, standing.payment, standing.reservation])
  }
}
