import AsyncHTTPClient
import NIOCore
import NIOHTTP1

/// Asks a payment provider for the answer to a key that nobody has used, which has no effect: a provider that is well says 404.
package enum PaymentProbe {
  package enum Outcome: Sendable, Equatable {
    /// The status, and the answer's `Date`.
    case answered(status: Int, date: String?)
    case unreachable(String)
  }

  package static func ask(_ endpoint: HTTPPaymentEndpoint, key: String, within limit: Duration) async -> Outcome {
    var settings = HTTPClient.Configuration(redirectConfiguration: .disallow)
    settings.timeout.connect = .seconds(3)
    settings.connectionPool.retryConnectionEstablishment = false
    let client = HTTPClient(eventLoopGroupProvider: .singleton, configuration: settings)
    var request = HTTPClientRequest(url: endpoint.base + "/operations/" + PercentEncoding.encode(key))
    request.headers = ["accept": "application/json"]
    if let token = endpoint.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    let outcome: Outcome
    do {
      let response = try await client.execute(request, deadline: .now() + TimeAmount(limit))
      outcome = .answered(status: Int(response.status.code), date: response.headers.first(name: "date"))
    } catch {
      outcome = .unreachable(ExchangeFault(error).reason)
    }
    try? await client.shutdown()
    return outcome
  }
}
