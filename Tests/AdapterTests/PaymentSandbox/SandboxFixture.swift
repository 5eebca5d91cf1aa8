import Foundation

@testable import PaymentSandbox

/// A sandbox's desk without a server before it.
struct SandboxFixture {
  let desk: SandboxDesk

  init(file: String? = nil) throws { desk = try SandboxDesk(file: file) }

  /// `201 authorized`, `402 card_declined`, and `cut`, `never`, `parked`, or a time in seconds before an answer.
  @discardableResult
  func post(_ path: String, _ body: String, key: String? = "k") -> String {
    Self.text(desk.handle(SandboxRequest(method: "POST", target: path, key: key, body: Array(body.utf8))))
  }

  func get(_ target: String) -> String { Self.text(desk.handle(SandboxRequest(method: "GET", target: target, key: nil, body: []))) }

  @discardableResult
  func authorize(_ method: String = "pm_ok", key: String = "k", amount: String = "59.98", currency: String = "USD", order: String = "o-1") -> String {
    post("/authorizations", Self.authorization(method, amount: amount, currency: currency, order: order), key: key)
  }

  static func authorization(_ method: String = "pm_ok", amount: String = "59.98", currency: String = "USD", order: String = "o-1") -> String {
    #"{"tenant_id":"default","order_id":"\#(order)","amount":"\#(amount)","currency":"\#(currency)","payment_method":"\#(method)"}"#
  }

  func ledger(order: String? = nil) throws -> [[String: String?]] {
    let target = order.map { "/ledger?order_id=\($0)" } ?? "/ledger"
    guard case .now(let answer) = desk.handle(SandboxRequest(method: "GET", target: target, key: nil, body: [])) else { return [] }
    return try JSONDecoder().decode([[String: String?]].self, from: Data(answer.body))
  }

  /// The authorisation that the key's authorisation made.
  func authorization(key: String = "k") throws -> String { try ledger().first { $0["key"] == key }?["authorization_id"]?.flatMap(\.self) ?? "" }

  private static func text(_ delivery: SandboxDelivery) -> String {
    switch delivery {
    case .now(let answer): text(answer)
    case .later(let answer, let instant): "\(Int(((instant - .now) / .seconds(1)).rounded(.up)))s \(text(answer))"
    case .cut: "cut"
    case .never: "never"
    case .parked: "parked"
    }
  }

  private static func text(_ answer: SandboxAnswer) -> String {
    let object = (try? JSONSerialization.jsonObject(with: Data(answer.body))) as? [String: Any]
    let word = (answer.status < 400 ? object?["status"] ?? object?["mode"] : object?["code"]) as? String
    return "\(answer.status) \(word ?? "-")"
  }
}
