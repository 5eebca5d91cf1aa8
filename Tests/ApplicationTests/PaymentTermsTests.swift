import Domain
import TestSupport
import Testing

@testable import Application

@Suite struct PaymentTermsTests {
  private static let opened = Timestamp(microseconds: 1_700_000_000_000_000)
  private static let terms = PaymentTerms(encoder: PlainCodec(), hasProvider: true, timeout: .seconds(10), giveUp: .seconds(600))

  private static func record(_ kind: PaymentKind, attempts: Int, wasUnknown: Bool) -> PaymentRecord {
    let order = OrderKey(tenant: .standard, order: OrderID(high: 7, low: 1))
    let operation = PaymentOperation(
      number: 1, kind: kind, purpose: kind == .authorize ? .confirm : .ship, amount: Money(minorUnits: 100, currency: Currency("EUR")!))
    let cause = PaymentCause(
      identity: CommandIdentity(tenant: .standard, message: MessageID("m")!), type: .create, actor: "ann", reason: nil, correlationID: "c",
      traceparent: nil, replyTo: nil, command: [], versionBefore: 0)
    var record = PaymentRecord(
      key: PaymentKey(order: order, number: 1), operation: operation, call: PaymentCall(key: "k", target: "/", body: []), cause: cause, openedAt: opened)
    record.attempts = attempts
    record.firstCalledAt = opened
    record.wasUnknown = wasUnknown
    return record
  }

  /// In milliseconds, of an operation so many seconds old.
  @Test(arguments: [
    // Nothing happened: doubling, and not past the moment at which it is given up.
    (PaymentKind.authorize, attempts: 1, age: 0, isUnknown: false, retryAfter: Int?.none, pause: 100),
    (.authorize, 4, 1, false, nil, 800), (.authorize, 50, 300, false, nil, 5_000), (.authorize, 50, 598, false, nil, 2_000),
    (.authorize, 2, 1, false, 7, 7_000), (.authorize, 2, 1, false, 3_600, 30_000), (.capture, 50, 40_000, false, nil, 5_000),
    // Unknown: a hundredth of its age at most, once that is more than 5 s, and no more than 5 minutes.
    (.capture, 7, 30, true, nil, 5_000), (.capture, 20, 499, true, nil, 5_000), (.capture, 20, 3_600, true, nil, 36_000),
    (.capture, 200, 90_000, true, nil, 300_000), (.capture, 1, 90_000, true, nil, 100),
  ])
  func howLongAnOperationWaits(kind: PaymentKind, attempts: Int, age: Int, isUnknown: Bool, retryAfter: Int?, pause: Int) {
    let record = Self.record(kind, attempts: attempts, wasUnknown: isUnknown || kind == .capture)
    let told = Self.terms.pause(
      before: record, isUnknown: isUnknown, isTold: true, retryAfter: retryAfter.map { .seconds($0) }, now: Self.opened + .seconds(age))
    #expect(told == .milliseconds(pause))
  }

  @Test func whatIsUnknownIsAskedAgainAtTheLatestWhenItIsToBeTold() {
    let record = Self.record(.authorize, attempts: 9, wasUnknown: true)
    for (age, pause) in [(8, 2_000), (10, 10)] {
      let told = Self.terms.pause(before: record, isUnknown: true, isTold: false, retryAfter: nil, now: Self.opened + .seconds(age))
      #expect(told == .milliseconds(pause))
    }
  }
}
