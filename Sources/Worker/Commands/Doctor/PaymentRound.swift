import ClientRuntime
import HTTPPaymentAdapter

/// Asks the payment provider for a key that nobody used.
struct PaymentRound: Sendable {
  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func look(now: Int64) async -> Checkup.Part {
    let kind = configuration[.paymentProvider]
    guard kind != .none,
      let endpoint = try? PaymentRules.endpoint(kind, url: configuration[.paymentURL], token: configuration[.paymentToken])
    else {
      var list = FindingList(.payment)
      list.ok("provider", "none is set: orders above zero stay pending")
      return .init(findings: list.all)
    }
    async let met = HTTPSPlace(configuration[.paymentURL])?.look(.payment, now: now) ?? []
    let before = ClockReading.wallClock
    let key = "doctor/\(UInt64.random(in: 0...UInt64.max))"
    let outcome = await PaymentProbe.ask(endpoint, key: key, within: .seconds(5))
    let findings = PaymentJudge.judge(outcome, before: before, after: ClockReading.wallClock, place: endpoint.name)
    return .init(findings: findings + (await met))
  }
}
