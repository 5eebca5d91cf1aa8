import ClientRuntime
import HTTPPaymentAdapter

/// What is to be said of the payment provider.
enum PaymentJudge {
  static func judge(_ outcome: PaymentProbe.Outcome, before: Duration, after: Duration, place: String) -> [Finding] {
    var list = FindingList(.payment, at: place)
    switch outcome {
    case .unreachable(let reason):
      list.problem(
        "provider", reason, mend: "start it, or correct ORDERS_PAYMENT_URL and the way to it; payments wait for ORDERS_PAYMENT_GIVE_UP, then are refused")
    case .answered(let status, let date):
      judgeStatus(status, &list)
      if let seconds = date.flatMap(HTTPDate.seconds) {
        ClockJudge.judge(ClockReading(server: .seconds(seconds), before: before, after: after, resolution: .seconds(1)), into: &list)
      }
    }
    return list.all
  }

  private static func judgeStatus(_ status: Int, _ list: inout FindingList) {
    switch status {
    case 404, 200: list.ok("provider", "it answers a key that nobody used with \(status)")
    case 401, 403: list.problem("provider", "it refuses the worker with \(status)", mend: "correct ORDERS_PAYMENT_TOKEN")
    case 429, 503: list.warning("provider", "it answers \(status): it has no time just now", mend: "ask again; if it stays so, ask who runs it")
    default:
      list.problem(
        "provider", "it answers a key that nobody used with \(status), where 404 is agreed on",
        mend: "correct ORDERS_PAYMENT_URL; schemas/openapi/payment.yaml says what it has to speak")
    }
  }
}
