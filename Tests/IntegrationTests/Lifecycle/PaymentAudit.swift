import TestSupport

/// Holds the provider's ledger, the table of payments and the orders against each other, to the cent.
struct PaymentAudit: Sendable {
  let plan: PaymentPlan
  let ledger: [PaymentSandbox.Line]
  let payments: [String: ProductWorld.PaymentRow]
  let orders: [String: ProductWorld.OrderRow]

  /// Every difference by name; none is success.
  var differences: [String] { keys + rows + authorisations }

  /// Minor units that the provider holds, for all orders together.
  var heldMinor: Int64 { live.values.flatMap(\.self).reduce(0) { $0 + (Self.minor($1.amount) ?? 0) } }

  /// Authorisations of each order that are neither voided nor declined.
  private var live: [String: [PaymentSandbox.Line]] {
    let voided = Set(ledger.filter { $0.operation == "void" && $0.result == "ok" }.compactMap(\.authorization_id))
    let held = ledger.filter { $0.operation == "authorize" && $0.result == "ok" && !voided.contains($0.authorization_id ?? "") }
    return Dictionary(grouping: held, by: \.order_id)
  }

  /// Each line of the ledger is one operation of the table.
  private var keys: [String] {
    var found: [String] = []
    var seen: Set<String> = []
    for line in ledger {
      if !seen.insert(line.key).inserted { found.append("the ledger has \(line.key) twice") }
      guard let row = payments[line.key] else {
        found.append("the ledger has \(line.operation) \(line.key) of \(line.order_id), which is no operation of the worker's")
        continue
      }
      let state = line.result == "ok" ? "succeeded" : "declined"
      let told = ProductWorld.PaymentRow(
        order: line.order_id, operation: line.operation, state: state, amountMinor: Self.minor(line.amount) ?? -1, currency: line.currency)
      if row != told { found.append("\(line.key): the ledger has \(told), payments \(row)") }
    }
    return found
  }

  /// Each operation that was done or declined is a line of the ledger, and none is left open.
  private var rows: [String] {
    let lines = Set(ledger.map(\.key))
    return payments.compactMap { key, row in
      switch row.state {
      case "succeeded", "declined": lines.contains(key) ? nil : "\(key): \(row) is not in the ledger"
      case "unavailable", "conflict": lines.contains(key) ? "\(key): \(row) had an effect" : nil
      default: "\(key): \(row) is still waiting"
      }
    }
  }

  private var authorisations: [String] {
    let live = live
    var found: [String] = []
    for item in plan.items {
      guard let order = orders[item.order] else {
        found.append("\(item.id): there is no order")
        continue
      }
      let held = live[item.order] ?? []
      let due: [String] = order.status == "confirmed" ? [PaymentPlan.money(item.totalMinor) + " USD"] : []
      let amounts = held.map { "\($0.amount) \($0.currency)" }
      if amounts != due { found.append("\(item.id), \(item.method), is \(order.status), \(order.payment): the provider holds \(amounts) instead of \(due)") }
      if order.totalMinor != item.totalMinor { found.append("\(item.id): a total of \(order.totalMinor) instead of \(item.totalMinor)") }
    }
    return found
  }

  /// Two decimals, as every amount here has.
  static func minor(_ amount: String) -> Int64? {
    let parts = amount.split(separator: ".")
    guard parts.count == 2, parts[1].count == 2, let whole = Int64(parts[0]), let cents = Int64(parts[1]) else { return nil }
    return whole * 100 + cents
  }
}
