import Application
import AsyncHTTPClient
import Domain
import NIOHTTP1

/// A call of the provider in its command's trace, by OpenTelemetry's conventions for HTTP clients.
struct ProviderSpan {
  private var span: Span

  var context: TraceContext { span.context }

  /// Nil where the trace is not recorded.
  init?(
    of call: PaymentCall, _ request: HTTPClientRequest, to endpoint: HTTPPaymentEndpoint, after command: CommandReference, isRepeat: Bool,
    by tracer: any Tracer, begin: Timestamp
  ) {
    // What nobody's trace asked for begins none: the clock's own calls would be stories without a beginning.
    guard let parent = command.sampled, let place = tracer.place(after: parent) else { return nil }
    span = Span(
      request.method.rawValue, .client, place, parent: parent.span, begin: begin, end: begin,
      attributes: [
        "http.request.method": .text(request.method.rawValue), "server.address": .text(endpoint.address.host),
        "server.port": .number(Int64(endpoint.address.port)),
        "url.full": .text(request.url), "orders.payment.operation": .text(HTTPPaymentCallEncoder.operation(of: call)),
        "orders.payment.key": .text(call.key),
      ])
    if isRepeat { span.attributes["orders.payment.is_repeat"] = "true" }
  }

  mutating func answered(status: Int) {
    span.attributes["http.response.status_code"] = .number(Int64(status))
    if status >= 400 { fail(type: "\(status)", "the provider answered \(status)") }
  }

  mutating func failed(_ reason: String) { fail(type: "no_answer", reason) }

  private mutating func fail(type: String, _ reason: String) {
    span.attributes["error.type"] = .text(type)
    span.error = reason
  }

  mutating func end(_ moment: Timestamp, in tracer: any Tracer) {
    span.end = moment
    tracer.record(span)
  }
}

extension HTTPPaymentEndpoint {
  /// Host and port, which is that of the scheme where none is given.
  var address: (host: String, port: Int) {
    let isSecure = base.hasPrefix("https:")
    var authority = base[(base.firstRange(of: "://")?.upperBound ?? base.startIndex)...].prefix { $0 != "/" }
    let standard = isSecure ? 443 : 80
    // An IPv6 address is in brackets, and has colons of its own.
    guard let colon = authority.lastIndex(of: ":"), authority[colon...].contains("]") == false else { return (String(authority), standard) }
    let port = Int(authority[authority.index(after: colon)...]) ?? standard
    authority = authority[..<colon]
    return (String(authority), port)
  }
}
