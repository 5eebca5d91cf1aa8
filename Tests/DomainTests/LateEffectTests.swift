import Domain
import Testing

@Suite struct LateEffectTests {
  @Test func anEffectBroughtHomeForASettledOperationIsVoided() throws {
    var story = Story(Sample.order(.pending, version: 1))
    story.update(.confirmed)
    try story.result(.unavailable)
    _ = story.told()
    try story.comesHome(1, "auth-late")
    #expect(story.told() == ["ask void auth-late 1000 release"])
    story.update(.confirmed)
    try story.result(.unavailable)
    story.update(.confirmed)
    try story.succeeds("auth-late")
    story.update(.confirmed)
    #expect(story.told() == ["waits", "nothing", "waits", "nothing", "ask authorize pm_create 1000 confirm"])
    #expect(story.order?.version == 1)
  }

  @Test func aLateEffectWaitsItsTurn() throws {
    var story = Story(Sample.order(.pending, version: 1))
    story.update(.confirmed)
    try story.result(.unavailable)
    story.update(.confirmed, method: "pm_2")
    _ = story.told()
    try story.comesHome(1, "auth-late")
    #expect(story.told() == ["nothing"])
    #expect(story.payments.surplus == [Sample.authorization("auth-late")])
    try story.comesHome(1, "auth-late")
    #expect(story.payments.surplus.count == 1)
    _ = story.told()
    try story.succeeds("auth-2")
    #expect(
      story.told() == ["v2 pending>confirmed authorized allocated order.confirmed", "ask void auth-late 1000 release", "accepted"])
    try story.succeeds("auth-late")
    #expect(story.payments == PaymentFacts(authorization: Sample.authorization("auth-2"), count: 3))
  }

  @Test func aResultOfAnOperationThatIsNotOpenChangesNothing() throws {
    var story = Story(Sample.order(.pending, version: 1))
    story.update(.confirmed)
    try story.succeeds()
    let (order, payments) = (story.order, story.payments)
    _ = story.told()
    for result in [PaymentResult.succeeded(AuthorizationID("auth-1")!), .declined(code: nil), .conflict, .unavailable] {
      try story.result(result, of: 1)
      #expect(story.told() == ["nothing"])
      #expect(story.order == order && story.payments == payments)
    }
    #expect(order?.paymentStillUnknown(story.operations[0], payments: payments, at: Sample.later) == nil)
  }

  @Test func anAuthorisationOfAnotherAmountIsReplacedAndVoided() throws {
    var story = Story(Sample.order(.pending, version: 1), PaymentFacts(authorization: Sample.authorization("auth-part", 999), count: 1))
    story.update(.confirmed)
    try story.succeeds("auth-whole")
    #expect(
      story.told() == [
        "ask authorize pm_create 1000 confirm", "v2 pending>confirmed authorized allocated order.confirmed", "ask void auth-part 999 release", "accepted",
      ])
  }

  @Test func aPaymentMethodIsNeverPrinted() {
    let order = Sample.order(.pending, method: PaymentMethod("pm_secret"))
    var dumped = ""
    dump(order, to: &dumped)
    for text in ["\(order)", String(reflecting: order), "\(PaymentMethod("pm_secret")!)", dumped] { #expect(!text.contains("pm_secret")) }
  }
}
