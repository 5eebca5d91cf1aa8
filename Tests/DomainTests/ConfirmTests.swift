import Domain
import Testing

@Suite struct ConfirmTests {
  @Test func confirmingAuthorisesTheWholeAmountFirst() throws {
    var story = Story(Sample.order(.pending, version: 1))
    story.update(.confirmed)
    #expect(story.told() == ["ask authorize pm_create 1000 confirm"])
    for status in OrderStatus.allCases { story.update(status) }
    #expect(story.told() == Array(repeating: "waits", count: 9))
    try story.succeeds()
    #expect(story.told() == ["v2 pending>confirmed authorized allocated order.confirmed", "accepted"])
    #expect(story.payments.authorization == Sample.authorization())
    #expect(story.payments.open == nil)
  }

  @Test(arguments: [PaymentResult.declined(code: "card_declined"), .declined(code: nil), .conflict])
  func aDeclinedConfirmLeavesThePendingOrderWithAVersion(result: PaymentResult) throws {
    var story = Story(Sample.order(.pending, version: 1))
    story.update(.confirmed)
    try story.result(result)
    #expect(
      story.told() == [
        "ask authorize pm_create 1000 confirm", "v2 pending>pending failed held order.payment_failed", "rejected payment_declined",
      ])
    #expect(story.payments == PaymentFacts(count: 1))
    story.update(.confirmed, method: "pm_2")
    try story.succeeds("auth-2")
    #expect(
      story.told() == ["ask authorize pm_2 1000 confirm", "v3 pending>confirmed authorized allocated order.confirmed", "accepted"])
  }

  @Test func aDeclineSaysTheAmountAndTheProvidersWordForIt() throws {
    let order = Sample.order(.pending)
    let operation = PaymentOperation(
      number: 1, kind: .authorize, purpose: .confirm, amount: Money(minorUnits: 1_000, currency: Sample.usd), method: PaymentMethod("pm_secret"))
    let facts = PaymentFacts(open: operation, count: 1)
    func message(_ result: PaymentResult) -> String? {
      guard case .rejected(let rejection) = order.settle(operation, with: result, payments: facts, at: Sample.later).answer else { return nil }
      return rejection.message
    }
    #expect(message(.declined(code: "card_declined")) == "The payment of 10.00 USD was declined (card_declined).")
    #expect(message(.declined(code: nil)) == "The payment of 10.00 USD was declined.")
    #expect(message(.unavailable) == "The payment provider was not available for the payment of 10.00 USD; nothing was charged.")
  }

  @Test func aConfirmThatWasGivenUpMakesNoVersion() throws {
    var story = Story(Sample.order(.pending, version: 1))
    story.update(.confirmed)
    try story.result(.unavailable)
    #expect(story.told() == ["ask authorize pm_create 1000 confirm", "rejected payment_unavailable"])
    #expect(story.order == Sample.order(.pending, version: 1))
    #expect(story.payments == PaymentFacts(count: 1))
  }

  @Test func anUnknownOutcomeIsToldOnceAndThenSettled() throws {
    for (result, lines) in [
      (PaymentResult.succeeded(AuthorizationID("auth-1")!), ["v3 pending>confirmed authorized allocated order.confirmed", "accepted"]),
      (.declined(code: nil), ["v3 pending>pending failed held order.payment_failed", "rejected payment_declined"]),
      (.unavailable, ["v3 pending>pending failed held order.payment_failed", "rejected payment_unavailable"]),
    ] {
      var story = Story(Sample.order(.pending, version: 1))
      story.update(.confirmed)
      try story.staysUnknown()
      try story.staysUnknown()
      story.update(.cancelled)
      try story.result(result)
      #expect(
        story.told() == [
          "ask authorize pm_create 1000 confirm", "v2 pending>pending pending held order.payment_pending", "nothing told", "waits",
        ] + lines)
    }
  }

  @Test func createGoesOnToConfirmedInOneCommand() throws {
    var story = Story()
    story.create(Sample.create(confirm: true))
    #expect(
      story.told() == ["v1 ->pending none held order.created product-1:0/2 product-2:0/3", "ask authorize pm_create 1000 confirm"])
    try story.succeeds()
    #expect(story.told() == ["v2 pending>confirmed authorized allocated order.confirmed", "accepted"])
  }

  @Test func createWithConfirmOfNothingToPayIsTwoVersionsAtOnce() {
    var story = Story()
    story.create(Sample.create(price: 0, method: nil, confirm: true))
    #expect(
      story.told() == [
        "v1 ->pending none held order.created product-1:0/2 product-2:0/3", "v2 pending>confirmed none allocated order.confirmed", "accepted",
      ])
    #expect(story.payments == .none)
  }

  @Test func createWithConfirmButWithoutAMethodStaysPending() {
    var story = Story()
    story.create(Sample.create(method: nil, confirm: true))
    #expect(story.told() == ["v1 ->pending none held order.created product-1:0/2 product-2:0/3", "rejected payment_method_required"])
  }

  @Test func createWithoutConfirmAsksForNothing() {
    var story = Story()
    story.create(Sample.create())
    #expect(story.told() == ["v1 ->pending none held order.created product-1:0/2 product-2:0/3", "accepted"])
  }

  @Test func anOrderThatIsThereAlreadyIsNotCreatedAgain() {
    var story = Story(Sample.order(.cancelled))
    story.create(Sample.create(confirm: true))
    #expect(story.told() == ["rejected already_exists"])
    #expect(story.order == Sample.order(.cancelled))
  }

  @Test func outOfStockConfirmsNothing() {
    var story = Story()
    story.create(Sample.create(confirm: true), available: 1)
    #expect(story.told() == ["v1 ->rejected none none order.rejected", "rejected out_of_stock"])
  }
}
