import TestSupport

/// What orders took of the stock and of their customers' money.
extension ChaosAudit {
  var stockFaults: [String] {
    var reserved: [String: Int64] = [:]
    var gone: [String: Int64] = [:]
    for life in plan.lives {
      guard let order = orders[life.order] else { continue }
      for line in life.lines {
        switch order.status {
        case "pending", "confirmed", "on_hold", "processing": reserved[line.product, default: 0] += line.quantity
        case "shipped", "delivered": gone[line.product, default: 0] += line.quantity
        default: break
        }
      }
    }
    var found: [String] = []
    for (product, quantity) in plan.stock.sorted(by: { $0.key < $1.key }) {
      let due = ProductWorld.Stock(onHand: quantity - gone[product, default: 0], reserved: reserved[product, default: 0])
      let row = stock[product] ?? .init(onHand: 0, reserved: 0)
      if row.reserved > row.onHand || due.reserved > due.onHand { found.append("oversold: \(product) is \(row), by its orders \(due)") }
      if row != due { found.append("double effect: \(product) is \(row) instead of \(due)") }
    }
    return found
  }

  var charges: [String] {
    var found: [String] = []
    var seen: Set<String> = []
    for line in provider {
      if !seen.insert(line.key).inserted { found.append("double charge: the provider has \(line.key) twice") }
      guard let row = payments[line.key] else {
        found.append("double charge: the provider had \(line), which no row of payments asked for")
        continue
      }
      let told = ProductWorld.PaymentRow(
        order: line.order_id, operation: line.operation, state: line.result == "ok" ? "succeeded" : "declined", amountMinor: Self.minor(line.amount),
        currency: line.currency)
      // Declined after it was given up: either way nothing came of it.
      if row.state == "unavailable", told.state == "declined" { continue }
      if row != told { found.append("\(row.state == "open" ? "stuck" : "contradiction"): \(line.key) was \(told), and its row is \(row)") }
    }
    for (key, row) in payments where !seen.contains(key) && !["unavailable", "conflict"].contains(row.state) {
      found.append("\(row.state == "open" ? "stuck" : "contradiction"): \(row) is not with the provider")
    }
    let byOrder = Dictionary(grouping: provider, by: \.order_id)
    for life in plan.lives { found += charges(life, byOrder[life.order] ?? []) }
    return found
  }

  private func charges(_ life: ChaosLife, _ lines: [PaymentSandbox.Line]) -> [String] {
    func done(_ operation: String) -> [PaymentSandbox.Line] { lines.filter { $0.operation == operation && $0.result == "ok" } }
    let voided = Set(done("void").compactMap(\.authorization_id))
    let (held, captured) = (done("authorize").filter { !voided.contains($0.authorization_id ?? "") }, done("capture"))
    var found: [String] = []
    if held.count > 1 || captured.count > 1 { found.append("double charge: \(life.order) is held \(held.count) and captured \(captured.count) times") }
    for line in held + captured where Self.minor(line.amount) != life.totalMinor {
      found.append("double charge: \(life.order) was to pay \(life.totalMinor), and \(line.operation) was of \(line.amount)")
    }
    guard let order = orders[life.order] else { return found + lines.map { "double charge: \($0) of no order" } }
    let costs = life.totalMinor > 0
    let due: (held: Int, captured: Int) =
      switch order.status {
      case "confirmed", "on_hold", "processing": costs ? (1, 0) : (0, 0)
      case "shipped", "delivered": costs ? (1, 1) : (0, 0)
      default: (0, 0)
      }
    if (held.count, captured.count) != due {
      let kind = held.count > due.held || captured.count > due.captured ? "double charge" : "lost"
      found.append("\(kind): \(life.order), \(life.method), is \(order.status), \(order.payment), with \(held.count) held and \(captured.count) captured")
    }
    return found
  }

  /// Two decimals, as every amount here has.
  private static func minor(_ amount: String) -> Int64 { Int64(amount.filter { $0 != "." }) ?? -1 }
}
