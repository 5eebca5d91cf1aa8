import Domain
import Testing

@Suite struct ShippingTests {
  private let authorized = PaymentFacts(authorization: Sample.authorization(), count: 1)

  private func processing(_ payment: PaymentStatus = .authorized) -> Story {
    Story(Sample.order(.processing, payment: payment), authorized)
  }

  private static let shipped = "v8 processing>shipped captured fulfilled order.shipped product-1:-2/-2 product-2:-3/-3"

  @Test func shippingCapturesFirst() throws {
    var story = processing()
    story.update(.shipped, method: "pm_ignored")
    #expect(story.told() == ["ask capture auth-1 1000 ship"])
    try story.succeeds()
    #expect(story.told() == [Self.shipped, "accepted"])
    #expect(story.payments == PaymentFacts(count: 2))
  }

  @Test(arguments: [PaymentResult.declined(code: nil), .conflict])
  func aDeclinedCaptureKeepsTheAuthorisationForAnotherTry(result: PaymentResult) throws {
    var story = processing()
    story.update(.shipped)
    try story.result(result)
    #expect(
      story.told() == [
        "ask capture auth-1 1000 ship", "v8 processing>processing failed allocated order.payment_failed", "rejected payment_declined",
      ])
    story.update(.shipped)
    try story.succeeds()
    #expect(
      story.told() == [
        "ask capture auth-1 1000 ship", "v9 processing>shipped captured fulfilled order.shipped product-1:-2/-2 product-2:-3/-3", "accepted",
      ])
  }

  @Test func aCaptureGivenUpLeavesAllAsItWas() throws {
    var story = processing()
    story.update(.shipped)
    try story.result(.unavailable)
    #expect(story.told() == ["ask capture auth-1 1000 ship", "rejected payment_unavailable"])
    #expect(story.order == Sample.order(.processing, payment: .authorized))
    #expect(story.payments.authorization == Sample.authorization())
  }

  @Test func anUnknownCaptureIsToldAndGivenUpWithAVersion() throws {
    var story = processing()
    story.update(.shipped)
    try story.staysUnknown()
    try story.result(.unavailable)
    #expect(
      story.told() == [
        "ask capture auth-1 1000 ship", "v8 processing>processing pending allocated order.payment_pending",
        "v9 processing>processing failed allocated order.payment_failed", "rejected payment_unavailable",
      ])
    #expect(story.payments.authorization == Sample.authorization())
  }

  @Test func anotherMethodVoidsThenAuthorisesThenCapturesWithOneVersionAtTheEnd() throws {
    var story = processing(.failed)
    story.update(.shipped, method: "pm_2")
    #expect(story.told() == ["ask void auth-1 pm_2 1000 ship_anew"])
    try story.succeeds("auth-1")
    #expect(story.told() == ["ask authorize pm_2 1000 ship_anew"])
    #expect(story.payments.authorization == nil)
    try story.succeeds("auth-2")
    #expect(story.told() == ["ask capture auth-2 1000 ship_anew"])
    story.update(.cancelled)
    try story.succeeds("auth-2")
    #expect(story.told() == ["waits", Self.shipped, "accepted"])
    #expect(story.payments == PaymentFacts(count: 4))
  }

  @Test func anotherMethodGoesOnWhereNothingIsLeftToVoid() throws {
    var story = processing(.failed)
    story.update(.shipped, method: "pm_2")
    try story.result(.conflict)
    #expect(story.told() == ["ask void auth-1 pm_2 1000 ship_anew", "ask authorize pm_2 1000 ship_anew"])
  }

  @Test func anotherMethodDeclinedLeavesNoAuthorisationAndAsksForAMethod() throws {
    var story = processing(.failed)
    story.update(.shipped, method: "pm_2")
    try story.succeeds("auth-1")
    try story.result(.declined(code: nil))
    #expect(
      story.told().suffix(2) == ["v8 processing>processing failed allocated order.payment_failed", "rejected payment_declined"])
    #expect(story.payments == PaymentFacts(count: 3))
    story.update(.shipped)
    #expect(story.told() == ["rejected payment_method_required"])
    story.update(.shipped, method: "pm_3")
    #expect(story.told() == ["ask authorize pm_3 1000 ship_anew"])
  }

  @Test func aCaptureDeclinedAgainVoidsWhatItHadAuthorised() throws {
    var story = processing(.failed)
    story.update(.shipped, method: "pm_2")
    try story.succeeds("auth-1")
    try story.succeeds("auth-2")
    _ = story.told()
    try story.result(.declined(code: nil))
    #expect(
      story.told() == [
        "v8 processing>processing failed allocated order.payment_failed", "ask void auth-2 1000 release", "rejected payment_declined",
      ])
    story.update(.shipped)
    try story.succeeds("auth-2")
    #expect(story.told() == ["waits", "nothing"])
    story.update(.shipped)
    #expect(story.told() == ["rejected payment_method_required"])
    #expect(story.order?.paymentStatus == .failed)
    #expect(story.order?.version == 8)
  }

  @Test func anotherMethodGivenUpKeepsWhatIsThere() throws {
    var atVoid = processing(.failed)
    atVoid.update(.shipped, method: "pm_2")
    try atVoid.staysUnknown()
    try atVoid.result(.unavailable)
    #expect(atVoid.told() == ["ask void auth-1 pm_2 1000 ship_anew", "nothing told", "rejected payment_unavailable"])
    #expect(atVoid.payments.authorization == Sample.authorization())

    var atCapture = processing(.failed)
    atCapture.update(.shipped, method: "pm_2")
    try atCapture.succeeds("auth-1")
    try atCapture.staysUnknown()
    try atCapture.succeeds("auth-2")
    try atCapture.staysUnknown()
    try atCapture.result(.unavailable)
    #expect(
      atCapture.told() == [
        "ask void auth-1 pm_2 1000 ship_anew", "ask authorize pm_2 1000 ship_anew",
        "v8 processing>processing pending allocated order.payment_pending", "ask capture auth-2 1000 ship_anew", "nothing told",
        "v9 processing>processing failed allocated order.payment_failed", "rejected payment_unavailable",
      ])
    #expect(atCapture.payments.authorization == Sample.authorization("auth-2"))
    atCapture.update(.shipped)
    #expect(atCapture.told() == ["ask capture auth-2 1000 ship"])
  }

  @Test func aVoidDeclinedEndsTheNewAttempt() throws {
    var story = processing(.failed)
    story.update(.shipped, method: "pm_2")
    try story.result(.declined(code: nil))
    #expect(story.told().suffix(2) == ["v8 processing>processing failed allocated order.payment_failed", "rejected payment_declined"])
    #expect(story.payments.authorization == Sample.authorization())
  }
}
