import TestSupport
import Testing

/// The judge of the chaos runs must see what is wrong, or its silence says nothing.
@Suite struct ChaosAuditTests {
  private let plan = ChaosPlan(commands: 400, seed: 11)

  /// An order that was created without payment and cancelled, and all that a good run leaves of it; of every other life nothing was sent.
  private func audit(_ change: (inout ChaosAudit, inout ChaosLedger.Book, ChaosLife) -> Void = { _, _, _ in }) -> [String] {
    let life = plan.lives.first { life in
      guard life.steps.count == 2, case .create(confirm: false) = life.steps[0].kind, case .update(to: "cancelled") = life.steps[1].kind else { return false }
      return true
    }!
    var book = ChaosLedger.Book()
    for step in 0...1 {
      book.confirmed[life.id(step)] = 1
      book.answers[life.id(step)] = ["accepted"]
    }
    book.events[life.order] = [
      1: .init(id: "e1", type: "order.created", cause: life.id(0), status: "pending", payment: "none"),
      2: .init(id: "e2", type: "order.cancelled", cause: life.id(1), status: "cancelled", payment: "none"),
    ]
    var audit = ChaosAudit(plan: plan, book: book)
    audit.claims = [life.id(0): .init(outcome: "accepted", rejection: ""), life.id(1): .init(outcome: "accepted", rejection: "")]
    audit.orders[life.order] = .init(
      status: "cancelled", payment: "none", reservation: "released", version: 2, currency: "USD", totalMinor: life.totalMinor)
    audit.history[life.order] = [history(1, "pending", nil, life.id(0)), history(2, "cancelled", "pending", life.id(1))]
    for (product, quantity) in plan.stock { audit.stock[product] = .init(onHand: quantity, reserved: 0) }
    change(&audit, &book, life)
    var judged = ChaosAudit(plan: plan, book: book)
    (judged.claims, judged.orders, judged.history, judged.stock) = (audit.claims, audit.orders, audit.history, audit.stock)
    (judged.provider, judged.payments, judged.deadLetters) = (audit.provider, audit.payments, audit.deadLetters)
    return judged.differences.filter { !$0.hasSuffix("was never confirmed") }
  }

  private func history(_ version: Int64, _ status: String, _ previous: String?, _ message: String) -> ProductWorld.HistoryRow {
    .init(version: version, status: status, previous: previous, payment: "none", actor: "anonymous", message: message, reason: nil)
  }

  private func charge(_ life: ChaosLife, key: String) -> PaymentSandbox.Line {
    .init(
      key: key, operation: "authorize", order_id: life.order, amount: "1.00", currency: "USD", payment_method: "pm_ok", result: "ok", authorization_id: key)
  }

  @Test func aGoodRunHasNoDifferences() { #expect(audit() == []) }

  @Test func aCommandThatIsLostIsNamed() {
    #expect(audit { audit, _, life in audit.claims[life.id(1)] = nil }.contains { $0.hasPrefix("lost:") })
    #expect(audit { audit, _, life in audit.history[life.order]?.removeLast() }.contains { $0.hasPrefix("lost:") })
    #expect(audit { audit, _, life in audit.orders[life.order] = nil }.contains { $0.hasPrefix("lost:") })
  }

  @Test func whatWasDoneTwiceIsNamed() {
    let again = audit { audit, _, life in audit.history[life.order]?.append(history(3, "cancelled", "pending", life.id(1))) }
    #expect(again.contains { $0.hasPrefix("double effect:") && $0.contains("instead of [\"cancelled\"]") })
    #expect(
      audit { audit, _, _ in audit.stock["product-7"] = .init(onHand: plan.stock["product-7"]!, reserved: 1) }.contains {
        $0.hasPrefix("double effect: product-7")
      })
    #expect(audit { audit, _, _ in audit.claims["stranger"] = .init(outcome: "accepted", rejection: "") }.contains { $0.hasPrefix("double effect: stranger") })
  }

  @Test func chargesAndStockBeyondWhatIsDueAreNamed() {
    let charged = audit { audit, _, life in audit.provider = [charge(life, key: "k1"), charge(life, key: "k2")] }
    #expect(charged.contains { $0.hasPrefix("double charge:") && $0.contains("is held 2") })
    #expect(charged.contains { $0.contains("which no row of payments asked for") })
    let sold = audit { audit, _, _ in audit.stock["product-8"] = .init(onHand: 1, reserved: 2) }
    #expect(sold.contains { $0.hasPrefix("oversold: product-8") })
  }

  @Test func missingEventsDeadLettersAndContradictionsAreNamed() {
    #expect(audit { _, book, life in book.events[life.order]?[2] = nil }.contains { $0.hasPrefix("missing event:") })
    let untold = audit { audit, book, life in
      audit.claims[life.id(1)] = .init(outcome: "rejected", rejection: "x")
      audit.history[life.order]?.removeLast()
      book.events[life.order]?[2] = nil
    }
    #expect(untold.contains { $0.hasPrefix("missing event: chaos-") && $0.contains("was refused, x") })
    #expect(
      audit { audit, _, life in audit.deadLetters[life.id(0)] = [.init(reason: "delivery_limit", state: "parked")] }.contains { $0.hasPrefix("dead-lettered:") }
    )
    #expect(audit { _, book, life in book.answers[life.id(0)] = ["accepted", "rejected x"] }.contains { $0.hasPrefix("contradiction:") })
    #expect(audit { audit, _, life in audit.claims[life.id(0)] = .init(outcome: "", rejection: "") }.contains { $0.hasPrefix("stuck:") })
  }

  @Test func aSeedGivesTheSameFaultsAndCommandsAgain() {
    var (a, b) = (SeededGenerator(seed: 5), SeededGenerator(seed: 5))
    #expect("\(ChaosFault.ofLinks(60, workers: 3, &a))" == "\(ChaosFault.ofLinks(60, workers: 3, &b))")
    #expect("\(ChaosPlan(commands: 500, seed: 5).lives)" == "\(ChaosPlan(commands: 500, seed: 5).lives)")
    #expect("\(ChaosPlan(commands: 500, seed: 6).lives)" != "\(ChaosPlan(commands: 500, seed: 5).lives)")
  }
}
