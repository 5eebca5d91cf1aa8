import TestSupport
import Testing

/// The judge of the payment storm must see what is wrong, or its silence says nothing.
@Suite struct PaymentAuditTests {
  private let plan = PaymentPlan(count: 2, seed: 1)

  private func line(_ item: Int, _ operation: String = "authorize", key: String? = nil, result: String = "ok", amount: String? = nil) -> PaymentSandbox.Line {
    PaymentSandbox.Line(
      key: key ?? "\(operation)-\(item)", operation: operation, order_id: plan.items[item].order,
      amount: amount ?? PaymentPlan.money(plan.items[item].totalMinor),
      currency: "USD", payment_method: "pm_ok", result: result, authorization_id: "auth-\(key ?? "\(item)")")
  }

  private func row(_ item: Int, _ operation: String = "authorize", _ state: String = "succeeded") -> ProductWorld.PaymentRow {
    ProductWorld.PaymentRow(order: plan.items[item].order, operation: operation, state: state, amountMinor: plan.items[item].totalMinor, currency: "USD")
  }

  private func order(_ item: Int, _ status: String) -> (String, ProductWorld.OrderRow) {
    let order = ProductWorld.OrderRow(
      status: status, payment: "", reservation: "", version: 2, currency: "USD", totalMinor: plan.items[item].totalMinor)
    return (plan.items[item].order, order)
  }

  private func differences(
    _ ledger: [PaymentSandbox.Line], _ payments: [String: ProductWorld.PaymentRow], _ statuses: [String] = ["confirmed", "confirmed"]
  ) -> [String] {
    let orders = Dictionary(uniqueKeysWithValues: statuses.enumerated().map { order($0.offset, $0.element) })
    return PaymentAudit(plan: plan, ledger: ledger, payments: payments, orders: orders).differences
  }

  private var good: (ledger: [PaymentSandbox.Line], payments: [String: ProductWorld.PaymentRow]) {
    ([line(0), line(1)], ["authorize-0": row(0), "authorize-1": row(1)])
  }

  @Test func aGoodRunHasNoDifferencesAndEachFaultIsNamed() {
    let (ledger, payments) = good
    #expect(differences(ledger, payments) == [])
    #expect(differences(ledger + [line(1, key: "twice")], payments).count == 2, "a second authorisation, of an operation that is none")
    #expect(differences(ledger, payments, ["confirmed", "pending"]).count == 1, "held for an order that is not confirmed")
    #expect(differences(ledger, payments, ["confirmed"]).count == 1, "no order")
    #expect(differences([ledger[0]], payments).count == 2, "succeeded without a line, confirmed without an authorisation")
    #expect(differences([ledger[0], line(1, amount: "0.01")], payments).count == 2, "another amount")
    #expect(differences([ledger[0], ledger[0], ledger[1]], payments).count == 2, "a key twice")
    #expect(differences(ledger, payments.merging(["authorize-1": row(1, "authorize", "declined")]) { $1 }).count == 1, "another result")
    #expect(differences(ledger, payments.merging(["capture-1": row(1, "capture", "open")]) { $1 }).count == 1, "still open")
    #expect(differences(ledger, payments.merging(["authorize-1": row(1, "authorize", "unavailable")]) { $1 }).count == 2, "given up with an effect")
  }

  @Test func aVoidedAuthorisationIsHeldNoMore() {
    let void = PaymentSandbox.Line(
      key: "void-1", operation: "void", order_id: plan.items[1].order, amount: PaymentPlan.money(plan.items[1].totalMinor), currency: "USD",
      payment_method: "pm_ok", result: "ok", authorization_id: "auth-1")
    let payments = good.payments.merging(["void-1": row(1, "void")]) { $1 }
    #expect(differences(good.ledger + [void], payments, ["confirmed", "cancelled"]) == [])
    #expect(differences(good.ledger + [void], payments).count == 1, "confirmed with nothing held")
  }

  @Test func aPlanHasEveryMethodAndTheSameOrdersForTheSameSeed() {
    let plan = PaymentPlan(count: 300, seed: 4)
    #expect(Set(plan.items.map(\.method)).count == 8 && Set(plan.items.map(\.order)).count == 300)
    #expect(PaymentPlan(count: 300, seed: 4).items.map(\.priceMinor) == plan.items.map(\.priceMinor))
    #expect(PaymentPlan.money(7) == "0.07" && PaymentPlan.money(12_345) == "123.45" && PaymentAudit.minor("123.45") == 12_345)
  }
}
