import Application
import AsyncHTTPClient
import Domain
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix

/// Asks a payment provider over HTTP/1.1, once for each call: whether to ask again is not decided here.
package final class HTTPPaymentProvider: PaymentProvider {
  private static let longestBody = 64 << 10

  private let client: HTTPClient
  private let group: MultiThreadedEventLoopGroup
  private let endpoint: HTTPPaymentEndpoint
  private let timeout: Duration
  private let now: @Sendable () -> Timestamp
  private let mistakes: RareLog
  private let tracer: any Tracer

  /// A call ends by `timeout` at the latest, but for an answer that trickles: the guard around it cuts that. `connections` should be at least
  /// the number of calls at one time, so that none waits for another's connection.
  package init(
    endpoint: HTTPPaymentEndpoint, timeout: Duration, connections: Int, log: Logger, tracer: any Tracer = NoTracing(),
    now: @escaping @Sendable () -> Timestamp
  ) {
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    // A connection that takes longer is not made: it is known then that nothing was sent.
    configuration.timeout.connect = TimeAmount(min(timeout / 2, .seconds(3)))
    configuration.timeout.read = TimeAmount(timeout)
    configuration.httpVersion = .http1Only
    configuration.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = connections
    // The first failure tells; when to try again is decided by who asks.
    configuration.connectionPool.retryConnectionEstablishment = false
    // Shorter than what servers usually wait, so that few calls meet a connection that is being closed.
    configuration.connectionPool.idleTimeout = .seconds(4)
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    self.endpoint = endpoint
    self.timeout = timeout
    self.now = now
    mistakes = RareLog(log: log)
    self.tracer = tracer
  }

  /// To be called once, when no call is under way any more.
  package func close() async {
    try? await client.shutdown()
    try? await group.shutdownGracefully()
  }

  package func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
    await exchange(request(call, trace), call, trace, isRepeat: isRepeat) { $0.answer(to: call, now: now()) }
  }

  package func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer {
    var lookUp = request(call, trace)
    lookUp.url = endpoint.base + "/operations/" + PercentEncoding.encode(call.key)
    lookUp.method = .GET
    lookUp.body = nil
    for name in ["content-type", "idempotency-key"] { lookUp.headers.remove(name: name) }
    return await exchange(lookUp, call, trace, isRepeat: false) { $0.answer(toKeyOf: call, now: now()) }
  }

  private func exchange(
    _ request: HTTPClientRequest, _ call: PaymentCall, _ trace: CommandReference, isRepeat: Bool, _ read: (ProviderResponse) -> PaymentAnswer
  ) async -> PaymentAnswer {
    var request = request
    var span = ProviderSpan(of: call, request, to: endpoint, after: trace, isRepeat: isRepeat, by: tracer, begin: now())
    if let traceparent = span?.context.traceparent ?? trace.traceparent {
      request.headers.add(name: "traceparent", value: PercentEncoding.encodeForHeader(traceparent))
    }
    defer { span?.end(now(), in: tracer) }
    let response: HTTPClientResponse
    do {
      response = try await client.execute(request, deadline: .now() + TimeAmount(timeout))
      span?.answered(status: Int(response.status.code))
    } catch {
      let fault = ExchangeFault(error)
      span?.failed(fault.reason)
      return fault.isBeforeSending ? .noEffect(reason: fault.reason, retryAfter: RetryAfter.standard) : .unknown(reason: fault.reason)
    }
    // The status is known whatever becomes of the body; only a success needs one.
    let body = try? await response.body.collect(upTo: Self.longestBody)
    let answer = ProviderResponse(
      status: Int(response.status.code), retryAfter: response.headers.first(name: "retry-after"), body: body.map { Array($0.readableBytesView) })
    let understood = read(answer)
    if answer.isOurMistake, understood != .neverCame {
      mistakes.note(status: answer.status, code: answer.code, operation: HTTPPaymentCallEncoder.operation(of: call), trace: trace)
    }
    return understood
  }

  private func request(_ call: PaymentCall, _ trace: CommandReference) -> HTTPClientRequest {
    var request = HTTPClientRequest(url: endpoint.base + call.target)
    request.method = .POST
    request.headers = [
      "content-type": "application/json", "accept": "application/json", "idempotency-key": call.key,
    ]
    if let id = trace.correlationID { request.headers.add(name: "x-correlation-id", value: PercentEncoding.encodeForHeader(id)) }
    if let token = endpoint.token { request.headers.add(name: "authorization", value: "Bearer \(token)") }
    request.body = .bytes(ByteBuffer(bytes: call.body))
    return request
  }
}
