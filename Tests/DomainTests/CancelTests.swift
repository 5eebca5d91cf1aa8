import Domain
import Testing

@Suite struct CancelTests {
  private let authorized = PaymentFacts(authorization: Sample.authorization(), count: 1)

  private func processing(_ payment: PaymentStatus = .authorized) -> Story {
    Story(Sample.order(.processing, payment: payment), authorized)
  }

  @Test(arguments: [PaymentResult.succeeded(AuthorizationID("auth-1")!), .conflict])
  func cancellingFreesTheStockAtOnceAndVoidsAfterwards(result: PaymentResult) throws {
    var story = processing()
    story.update(.cancelled)
    try story.staysUnknown()
    story.update(.confirmed)
    try story.result(result)
    #expect(
      story.told() == [
        "v8 processing>cancelled authorized released order.cancelled product-1:0/-2 product-2:0/-3", "ask void auth-1 1000 cancel", "accepted",
        "nothing told", "rejected illegal_transition", "v9 cancelled>cancelled voided released order.payment_voided",
      ])
    #expect(story.payments == PaymentFacts(count: 2))
  }

  @Test func aVoidThatNobodyWaitsForIsNotGivenUp() throws {
    var story = processing()
    story.update(.cancelled)
    _ = story.told()
    let open = story.payments.open
    try story.result(.unavailable)
    #expect(story.told() == ["nothing"])
    #expect(story.payments.open == open && open != nil)
    try story.succeeds()
    #expect(story.told() == ["v9 cancelled>cancelled voided released order.payment_voided"])
  }

  @Test func aVoidDeclinedAfterACancelIsToldAsAFailure() throws {
    var story = processing()
    story.update(.cancelled)
    _ = story.told()
    try story.result(.declined(code: nil))
    #expect(story.told() == ["v9 cancelled>cancelled failed released order.payment_failed"])
  }

  @Test func resumingAuthorisesNothingTwice() {
    var story = Story(Sample.order(.confirmed, payment: .authorized), authorized)
    for status in [OrderStatus.onHold, .processing, .confirmed, .processing, .onHold, .confirmed, .processing] { story.update(status) }
    #expect(
      story.told() == [
        "v8 confirmed>on_hold authorized allocated order.on_hold", "accepted", "rejected illegal_transition",
        "v9 on_hold>confirmed authorized allocated order.resumed", "accepted", "v10 confirmed>processing authorized allocated order.processing",
        "accepted", "v11 processing>on_hold authorized allocated order.on_hold", "accepted", "rejected illegal_transition",
        "v12 on_hold>processing authorized allocated order.resumed", "accepted",
      ])
    #expect(story.payments == authorized)
  }
}
