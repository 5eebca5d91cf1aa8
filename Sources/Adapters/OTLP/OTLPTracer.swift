import Application
import AsyncHTTPClient
import Domain
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import Pacing
import Synchronization

/// Records spans and sends them to a collector by OTLP over HTTP (https://opentelemetry.io/docs/specs/otlp/), in batches, from a bounded buffer. What the
/// worker does never waits for it: what there is no room for, or what the collector does not take in time, is dropped and counted.
package final class OTLPTracer: Tracer {
  package struct Settings: Sendable {
    /// Of traces that begin here, the share that is recorded, 0 to 1. Those of senders go by the senders' own flag.
    package var share: Double
    /// Spans that wait at most.
    package var room = 16_384
    package var batch = 512
    /// How long a span waits for others.
    package var pause = Duration.milliseconds(250)
    /// How long one request may take.
    package var request = Duration.seconds(3)
    /// How long a collector may take to take a batch, its repeats included.
    package var patience = Duration.seconds(10)

    package init(share: Double) { self.share = share }
  }

  package struct Counts: Sendable, Equatable {
    package var exported: Int64 = 0
    package var dropped: Int64 = 0

    package init(exported: Int64 = 0, dropped: Int64 = 0) {
      self.exported = exported
      self.dropped = dropped
    }
  }

  private struct Waiting {
    var spans: [Span] = []
    var counts = Counts()
    /// Whether the last batch was not taken: told when that changes, not each time.
    var isFailing = false
    /// Until then the last spans may be sent; nil while more may come.
    var end: ContinuousClock.Instant?
  }

  private let url: String
  private let headers: [(String, String)]
  private let request: TraceRequest
  private let settings: Settings
  private let log: Logger
  private let waiting = Mutex(Waiting())
  private let group: MultiThreadedEventLoopGroup
  private let client: HTTPClient

  /// `endpoint` is the collector's base address; traces go to `/v1/traces` below it, or to itself where it ends so. `resource` names this process by
  /// OpenTelemetry's attributes. `headers` go with every request.
  package init(endpoint: String, headers: [(name: String, value: String)] = [], resource: [String: String], settings: Settings, log: Logger) {
    let base = endpoint.hasSuffix("/") ? String(endpoint.dropLast()) : endpoint
    url = base.hasSuffix("/v1/traces") ? base : base + "/v1/traces"
    self.headers = headers
    request = TraceRequest(resource: resource)
    self.settings = settings
    self.log = log
    var configuration = HTTPClient.Configuration(redirectConfiguration: .disallow)
    configuration.timeout.connect = TimeAmount(settings.request)
    // The deadline of a request ends with the answer's head; a body that stalls is this one's.
    configuration.timeout.read = TimeAmount(settings.request)
    configuration.httpVersion = .http1Only
    group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
    client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
  }

  package var counts: Counts { waiting.withLock { $0.counts } }

  package func place(after parent: TraceContext?) -> TraceContext? {
    if let parent { return parent.isSampled ? parent.following() : nil }
    return settings.share > 0 && Double.random(in: 0..<1) < settings.share ? .random() : nil
  }

  package func record(_ span: Span) {
    waiting.withLock { waiting in
      if waiting.spans.count < settings.room { waiting.spans.append(span) } else { waiting.counts.dropped += 1 }
    }
  }

  /// Sends until `stop` is called, then what still waits. Not to be cancelled: that would lose what is on its way.
  package func run() async {
    while waiting.withLock({ $0.end == nil }) {
      try? await Task.sleep(for: settings.pause)
      await sendAll()
    }
    await sendAll()
    let lost = waiting.withLock { waiting in
      defer { waiting.spans = [] }
      waiting.counts.dropped += Int64(waiting.spans.count)
      return waiting.spans.count
    }
    if lost > 0 { log.warning("the last traces were not sent: the collector is too slow, or away", metadata: ["count": .stringConvertible(lost)]) }
  }

  /// No more spans will come; those that wait have two seconds.
  package func stop() { waiting.withLock { $0.end = $0.end ?? .now + .seconds(2) } }

  /// To be called once, when `run` has returned.
  package func close() async {
    try? await client.shutdown()
    try? await group.shutdownGracefully()
  }

  private func sendAll() async {
    while timeLeft > .zero {
      let batch = waiting.withLock { waiting in
        defer { waiting.spans.removeFirst(min(settings.batch, waiting.spans.count)) }
        return Array(waiting.spans.prefix(settings.batch))
      }
      if batch.isEmpty { return }
      let fault = await send(request.encoded(batch), until: .now + settings.patience)
      note(fault, batch.count)
      if fault != nil { return }
    }
  }

  /// Until the worker's end; a long time while that is not known.
  private var timeLeft: Duration { waiting.withLock { $0.end.map { $0 - .now } ?? settings.patience } }

  private func note(_ fault: String?, _ count: Int) {
    let (wasFailing, dropped) = waiting.withLock { waiting in
      if fault == nil { waiting.counts.exported += Int64(count) } else { waiting.counts.dropped += Int64(count) }
      defer { waiting.isFailing = fault != nil }
      return (waiting.isFailing, waiting.counts.dropped)
    }
    if let fault, !wasFailing { log.warning("the collector does not take traces: they are dropped until it does", metadata: ["error": "\(fault)"]) }
    if fault == nil, wasFailing { log.notice("the collector takes traces again", metadata: ["count": .stringConvertible(dropped)]) }
  }

  /// Why the batch was not taken; nil where it was. Repeats what may be repeated: no answer, 429, 502, 503 and 504.
  private func send(_ body: [UInt8], until patience: ContinuousClock.Instant) async -> String? {
    var backoff = Backoff(first: .milliseconds(200), limit: .seconds(2))
    while true {
      switch await post(body) {
      case .taken: return nil
      case .failed(let reason, let mayRepeat):
        let pause = backoff.next()
        if !mayRepeat || pause >= min(timeLeft, patience - .now) { return reason }
        try? await Task.sleep(for: pause)
      }
    }
  }

  private enum Answer {
    case taken
    case failed(String, mayRepeat: Bool)
  }

  private func post(_ body: [UInt8]) async -> Answer {
    var post = HTTPClientRequest(url: url)
    post.method = .POST
    post.headers = ["content-type": "application/x-protobuf"]
    for (name, value) in headers { post.headers.add(name: name, value: value) }
    post.body = .bytes(ByteBuffer(bytes: body))
    do {
      let response = try await client.execute(post, deadline: .now() + TimeAmount(min(settings.request, timeLeft)))
      let status = Int(response.status.code)
      // So that the connection can serve the next one.
      _ = try? await response.body.collect(upTo: 64 << 10)
      if (200..<300).contains(status) { return .taken }
      return .failed("it answers \(status)", mayRepeat: [429, 502, 503, 504].contains(status))
    } catch {
      return .failed("\(error)", mayRepeat: true)
    }
  }
}
