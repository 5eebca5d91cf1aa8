import Application
import Domain
import HTTPPaymentAdapter
import Logging

/// Calls and an adapter for the tests of payments over HTTP.
enum ProviderFixture {
  static let trace = CommandReference(correlationID: "c-1", traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")

  static func authorize(_ method: String = "pm_ok", key: String = "default/o-1/1", order: String = "o-1", amount: String = "59.98") -> PaymentCall {
    let body = #"{"tenant_id":"default","order_id":"\#(order)","amount":"\#(amount)","currency":"USD","payment_method":"\#(method)"}"#
    return PaymentCall(key: key, target: "/authorizations", body: Array(body.utf8))
  }

  static func capture(_ id: AuthorizationID, key: String, amount: String = "59.98") -> PaymentCall {
    PaymentCall(key: key, target: "/authorizations/\(id)/capture", body: Array(#"{"amount":"\#(amount)"}"#.utf8))
  }

  static func void(_ id: AuthorizationID, key: String) -> PaymentCall { PaymentCall(key: key, target: "/authorizations/\(id)/void", body: Array("{}".utf8)) }

  /// Runs `body` with an adapter for the address, and ends the adapter.
  static func with<T: Sendable>(
    _ url: String, token: String? = nil, timeout: Duration = .seconds(20), log: Logger = Logger(label: "silent", factory: { _ in SwiftLogNoOpLogHandler() }),
    tracer: any Tracer = NoTracing(), _ body: (HTTPPaymentProvider) async throws -> T
  ) async throws -> T {
    let provider = HTTPPaymentProvider(
      endpoint: try HTTPPaymentEndpoint(url: url, token: token), timeout: timeout, connections: 64, log: log, tracer: tracer,
      now: { Timestamp(microseconds: 0) })
    let result: Result<T, any Error>
    do { result = .success(try await body(provider)) } catch { result = .failure(error) }
    await provider.close()
    return try result.get()
  }
}

extension HTTPPaymentProvider {
  func perform(_ call: PaymentCall, isRepeat: Bool = false) async -> PaymentAnswer { await perform(call, isRepeat: isRepeat, trace: ProviderFixture.trace) }
}

extension PaymentAnswer {
  /// The answer without its sentence: `known declined card_declined`, `no effect 1.0 seconds`, `unknown`.
  var kind: String {
    switch self {
    case .known(.succeeded): "known succeeded"
    case .known(.declined(let code)): "known declined \(code ?? "-")"
    case .known(.conflict): "known conflict"
    case .known(.unavailable): "known unavailable"
    case .noEffect(_, let retryAfter): "no effect \(retryAfter.map { "\($0)" } ?? "-")"
    case .unknown: "unknown"
    case .neverCame: "never came"
    case .notTold: "not told"
    }
  }

  var authorization: AuthorizationID? { if case .known(.succeeded(let id)) = self { id } else { nil } }
}
