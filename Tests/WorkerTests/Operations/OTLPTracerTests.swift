import Application
import Domain
import Glibc
import Logging
import OTLPAdapter
import Operations
import TestSupport
import Testing

@Suite struct OTLPTracerTests {
  /// Somebody takes connections, and never says a word.
  @Test func aCollectorThatHangsDoesNotHoldUpTheEndAndEverySpanIsCounted() async throws {
    let silent = listenOnLoopback()
    defer { close(silent.descriptor) }
    var settings = OTLPTracer.Settings(share: 1)
    settings.batch = 10
    let tracer = OTLPTracer(
      endpoint: "http://127.0.0.1:\(silent.port)", resource: [:], settings: settings, log: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    let running = Task { await tracer.run() }
    for _ in 0..<100 { tracer.record(Span("s", .client, .random(), parent: nil, begin: .now, end: .now, attributes: [:])) }
    tracer.stop()
    let stopped = ContinuousClock.now
    await running.value
    #expect(stopped.duration(to: .now) < .milliseconds(2_800))
    #expect(tracer.counts == OTLPTracer.Counts(exported: 0, dropped: 100), "\(tracer.counts)")
    await tracer.close()
  }
}
