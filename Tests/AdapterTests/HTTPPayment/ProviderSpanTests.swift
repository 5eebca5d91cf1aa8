import Application
import HTTPPaymentAdapter
import TestSupport
import Testing

/// Calls of the provider in a trace.
@Suite struct ProviderSpanTests {
  @Test func aLookUpNamesTheAddressThatItAsks() async throws {
    let server = ScriptedServer([
      [.read, .send("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"), .read, .send("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n")]
    ])
    defer { server.stop() }
    let (tracer, base) = (RecordingTracer(), "http://127.0.0.1:\(server.port)")
    try await ProviderFixture.with(base, tracer: tracer) { provider in
      _ = await provider.lookUp(ProviderFixture.authorize(key: "default/o-1/1"), trace: ProviderFixture.trace)
      _ = await provider.perform(ProviderFixture.authorize())
    }
    let spans = tracer.spans
    let urls: [Span.Value] = [.text("\(base)/operations/default%2Fo-1%2F1"), .text("\(base)/authorizations")]
    #expect(spans.map(\.name) == ["GET", "POST"] && spans.map { $0.attributes["http.request.method"] } == ["GET", "POST"])
    #expect(spans.map { $0.attributes["url.full"] } == urls)
    #expect(spans.map { $0.attributes["http.response.status_code"] } == [404, 500])
  }
}
