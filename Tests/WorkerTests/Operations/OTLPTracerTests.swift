import Application
import Domain
import Logging
import OTLPAdapter
import Operations
import TestSupport
import Testing

@Suite struct OTLPTracerTests {
  /// Somebody takes connections, and never says a word, or no more than an answer's head.
  @Test(arguments: ["", "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n"])
  func aCollectorThatHangsDoesNotHoldUpTheEndAndEverySpanIsCounted(words: String) async throws {
    let server = ScriptedServer(.read, .send(words), .wait(.seconds(90)))
    defer { server.stop() }
    var settings = OTLPTracer.Settings(share: 1)
    settings.batch = 10
    let tracer = OTLPTracer(
      endpoint: "http://127.0.0.1:\(server.port)", resource: [:], settings: settings, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let running = Task { await tracer.run() }
    for _ in 0..<100 { tracer.record(Span("s", .client, .random(), parent: nil, begin: .now, end: .now, attributes: [:])) }
    // Whoever says 200 has taken what he was sent, whatever becomes of the rest of the answer.
    if !words.isEmpty { #expect(await eventually { tracer.counts.exported > 0 }) }
    tracer.stop()
    let stopped = ContinuousClock.now
    await running.value
    #expect(stopped.duration(to: .now) < .seconds(20))
    let counts = tracer.counts
    #expect(counts.exported + counts.dropped == 100 && (counts.exported == 0) == words.isEmpty, "\(counts)")
    await tracer.close()
  }
}
