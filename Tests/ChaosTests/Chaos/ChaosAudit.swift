import TestSupport

/// Holds the ledger of the run, the provider's and the database against each other: whatever section 5 of the contract forbids, by name.
struct ChaosAudit: Sendable {
  struct Claim: Sendable, Equatable {
    /// Empty while its payment is open.
    let outcome: String
    let rejection: String
  }

  struct DeadLetter: Sendable, Equatable {
    let reason: String
    let state: String
  }

  /// The names of what must not be, each printed with its number.
  static let names = [
    "lost", "double effect", "double charge", "oversold", "out of order", "missing event", "dead-lettered", "stuck", "contradiction", "reply", "event",
    "worker",
  ]

  let plan: ChaosPlan
  let book: ChaosLedger.Book
  var provider: [PaymentSandbox.Line] = []
  var orders: [String: ProductWorld.OrderRow] = [:]
  var history: [String: [ProductWorld.HistoryRow]] = [:]
  var claims: [String: Claim] = [:]
  var payments: [String: ProductWorld.PaymentRow] = [:]
  var stock: [String: ProductWorld.Stock] = [:]
  var deadLetters: [String: [DeadLetter]] = [:]

  var differences: [String] {
    book.faults + plan.lives.flatMap(commands) + strangers + plan.lives.flatMap(effects) + plan.lives.flatMap(events) + stockFaults + charges
  }

  /// Whether each command was done or refused as it should be, and its answers say so.
  private func commands(_ life: ChaosLife) -> [String] {
    life.steps.indices.flatMap { step -> [String] in
      let id = life.id(step)
      let (claim, dead) = (claims[id], deadLetters[id] ?? [])
      guard book.confirmed[id, default: 0] > 0 else { return ["stuck: \(id) was never confirmed"] }
      if case .wrong(let reason) = life.steps[step].kind {
        if claim != nil { return ["contradiction: \(id) is \(reason.rawValue), and claimed"] }
        if dead.isEmpty { return ["lost: \(id), \(reason.rawValue), is not among the dead letters"] }
        if dead != [.init(reason: reason.rawValue, state: "parked")] { return ["dead-lettered: \(id), \(reason.rawValue), as \(dead)"] }
        return answers(life, id, "dead_lettered \(reason.rawValue)")
      }
      var found = dead.map { "dead-lettered: \(id), \(life.steps[step].kind), as \($0)" }
      guard let claim else { return found.isEmpty ? ["lost: \(id) was confirmed and has no claim"] : found }
      if claim.outcome.isEmpty { return found + ["stuck: \(id) waits for its payment"] }
      found += answers(life, id, claim.outcome + (claim.rejection.isEmpty ? "" : " \(claim.rejection)"))
      return found
    }
  }

  /// Who never asks again may not hear, since an answer is sent once.
  private func answers(_ life: ChaosLife, _ id: String, _ expected: String) -> [String] {
    let answers = book.answers[id] ?? []
    if answers.isEmpty { return life.asksAgain ? ["stuck: \(id), \(expected), was never answered"] : [] }
    return answers == [expected] ? [] : ["contradiction: \(id) is \(expected), and was answered \(answers.sorted())"]
  }

  /// What nobody asked for.
  private var strangers: [String] {
    let ids = Set(plan.lives.flatMap { life in life.steps.indices.map { life.id($0) } })
    let known = Set(plan.lives.map(\.order))
    let claimed = claims.keys.filter { !ids.contains($0) }.map { "double effect: \($0) was claimed, and never sent" }
    let made = orders.keys.filter { !known.contains($0) }.map { "double effect: order \($0) was made, and never asked for" }
    let dead = deadLetters.keys.filter { !ids.contains($0) }.map { "dead-lettered: \($0), which was never sent" }
    return (claimed + made + dead).sorted()
  }

  /// Whether the history of an order tells of each command as often as it may, and of allowed steps only.
  private func effects(_ life: ChaosLife) -> [String] {
    let rows = history[life.order] ?? []
    guard let order = orders[life.order] else {
      let made = life.steps.indices.contains { step in
        if case .create = life.steps[step].kind { claims[life.id(step)] != nil } else { false }
      }
      return made ? ["lost: order \(life.order) of \(life.id(0))"] : []
    }
    var found: [String] = []
    if rows.map(\.version) != (1..<rows.count + 1).map(Int64.init) {
      found.append("double effect: order \(life.order) has the versions \(rows.map(\.version))")
    }
    if rows.last.map({ [$0.status, $0.payment, "\($0.version)"] }) != [order.status, order.payment, "\(order.version)"] {
      found.append("contradiction: order \(life.order) is \(order), and its history ends with \(rows.last.map { "\($0)" } ?? "nothing")")
    }
    if order.totalMinor != life.totalMinor { found.append("contradiction: order \(life.order) costs \(order.totalMinor) instead of \(life.totalMinor)") }
    var status: String?
    for row in rows {
      if row.previous != status || row.status != row.previous && !Self.allowed(from: status, to: row.status) {
        found.append("double effect: order \(life.order) went from \(status ?? "nothing") to \(row.status) by \(row.message)")
      }
      status = row.status
    }
    let byCause = Dictionary(grouping: rows, by: \.message)
    for step in life.steps.indices {
      let id = life.id(step)
      guard let claim = claims[id] else { continue }
      let changes = (byCause[id] ?? []).filter { $0.status != $0.previous }.map(\.status)
      let due = Self.due(life.steps[step].kind, claim)
      if changes != due {
        found.append("\(changes.count < due.count ? "lost" : "double effect"): \(id), \(claim), made \(changes) instead of \(due)")
      }
      for (payment, rows) in Dictionary(grouping: (byCause[id] ?? []).filter({ $0.status == $0.previous }), by: \.payment) where rows.count > 1 {
        found.append("double effect: \(id) made payment_status \(payment) \(rows.count) times")
      }
    }
    let causes = Set(life.steps.indices.map { life.id($0) })
    found += byCause.keys.filter { !causes.contains($0) && !$0.hasPrefix("expire-") }.map { "double effect: order \(life.order) was changed by \($0)" }
    return found
  }

  /// The statuses that a command leads to, by what it came to.
  private static func due(_ kind: ChaosStep.Kind, _ claim: Claim) -> [String] {
    switch (kind, claim.outcome) {
    case (.create(let confirm), "accepted"): confirm ? ["pending", "confirmed"] : ["pending"]
    case (.create, _): claim.rejection == "out_of_stock" ? ["rejected"] : ["pending"]
    case (.update(let status), "accepted"): [status]
    default: []
    }
  }

  static func allowed(from: String?, to: String) -> Bool {
    switch from {
    case nil: ["pending", "rejected"].contains(to)
    case "pending": ["confirmed", "cancelled", "expired"].contains(to)
    case "confirmed": ["processing", "on_hold", "cancelled"].contains(to)
    case "on_hold": ["confirmed", "processing", "cancelled"].contains(to)
    case "processing": ["shipped", "on_hold", "cancelled"].contains(to)
    case "shipped": to == "delivered"
    default: false
    }
  }

  /// Whether each version, and each refusal that made none, was told of once.
  private func events(_ life: ChaosLife) -> [String] {
    var found: [String] = []
    let told = book.events[life.order] ?? [:]
    let rows = history[life.order] ?? []
    for row in rows {
      guard let event = told[row.version] else {
        found.append("missing event: version \(row.version), \(row.status), of order \(life.order) by \(row.message)")
        continue
      }
      if [event.status, event.payment, event.cause] != [row.status, row.payment, row.message] {
        found.append("contradiction: version \(row.version) of order \(life.order) is \(row), and its event \(event)")
      }
    }
    for version in told.keys.filter({ version in !rows.contains { $0.version == version } }) {
      found.append("double effect: an event of version \(version) of order \(life.order), which has none such")
    }
    for step in life.steps.indices {
      let id = life.id(step)
      let refusals = book.refusals[id]?.count ?? 0
      // A create that was refused its payment has told of its order.
      let versions = rows.contains { $0.message == id }
      let due = claims[id]?.outcome == "rejected" && !versions ? 1 : 0
      if refusals < due { found.append("missing event: \(id) was refused, \(claims[id]!.rejection), and no event tells of it") }
      if refusals > due { found.append("double effect: \(refusals) order.command_rejected of \(id) instead of \(due)") }
    }
    return found
  }
}
