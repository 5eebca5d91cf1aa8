import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport
import Testing

/// One command's trace, from publisher to consumer, as a collector sees it.
@Suite(.enabled(if: ServerWorld.isThere && TraceCollector.python != nil)) struct TracingProgramTests {
  private static let trace = "0af7651916cd43dd8448eb211c80319c"
  private static let publisher = "b7ad6b7169203331"

  /// An event with the trace that its consumer finds in it.
  private struct Event: Decodable {
    let id: String
    let type: String
    let traceparent: String
  }

  private static func events(_ watcher: Program.Files) -> [Event] {
    watcher.output.split(separator: "\n").compactMap { try? JSONDecoder().decode(Event.self, from: Data($0.utf8)) }
  }

  /// Runs a test beside a worker that sends its traces to a collector.
  private static func withWorker(
    _ settings: [String: String] = [:], _ body: (ServerWorld, TraceCollector, Program.Files) async throws -> Void
  ) async throws {
    try await TraceCollector.with { collector in
      let own = [
        "ORDERS_RETRY_RUNGS": "1s", "ORDERS_OTLP_ENDPOINT": collector.url, "ORDERS_OTLP_HEADERS": "authorization=Bearer collect", "ORDERS_TRACE_SHARE": "0",
      ]
      try await ServerWorld.with(own.merging(settings) { $1 }) { world in
        let (worker, watcher) = (try Program.Files(), try Program.Files())
        defer { [worker, watcher].forEach { $0.remove() } }
        let process = try world.start("run", files: worker)
        let watch = try world.start("watch", "order.*", "--json", files: watcher)
        #expect(await eventually(within: .seconds(60)) { watcher.errors.contains("watching") && worker.errors.contains("health is served") })
        try await world.sql("INSERT INTO inventory (tenant_id, product_id, on_hand) VALUES ('default', 'p', 1000)")
        try await body(world, collector, watcher)
        for process in [process, watch] {
          process.terminate()
          if await !eventually(within: .seconds(30), { !process.isRunning }) { kill(process.processIdentifier, SIGKILL) }
        }
      }
    }
  }

  private static func publish(_ world: ServerWorld, id: String, body: String, traceparent: String?) async throws {
    let headers = traceparent.map { [Header(name: "traceparent", value: .string($0))] } ?? []
    try await AuthenticatedWorld.publish(world, [AuthenticatedWorld.publication(world, id: id, token: nil, headers: headers, body: body)])
  }

  @Test func oneOrdersTraceGoesFromItsPublisherThroughDatabaseAndProviderToItsEvents() async throws {
    let sandbox = try await PaymentSandbox.start()
    try await Self.withWorker(sandbox.settings) { world, collector, watcher in
      let body = #"{"customer_id":"c","confirm":true,"payment_method":"pm_ok","items":[{"product_id":"p","quantity":1,"unit_price":1}]}"#
      try await Self.publish(world, id: "m-1", body: body, traceparent: "00-\(Self.trace)-\(Self.publisher)-01")
      // Process, its commit, order.created and its sending; the provider, the commit of its answer, order.confirmed and its sending.
      let spans = await collector.spans(of: Self.trace, count: 8)
      let names = spans.map(\.name)
      let process = try #require(spans.first { $0.kind == "consumer" }, "\(names)")
      let prefix = world.prefix
      #expect(process.parent == Self.publisher && process.name == "process \(prefix).commands:order.create:\(prefix).commands")
      #expect(process.attributes["messaging.system"] == "rabbitmq" && process.attributes["messaging.operation.type"] == "process")
      #expect(process.attributes["messaging.message.id"] == "m-1" && process.attributes["orders.outcome"] == "awaits_payment")
      #expect(process.attributes["messaging.message.body.size"] == .number(body.utf8.count) && process.begin < process.end)
      #expect(process.resource["service.name"] == "order-worker" && process.resource["authorization"] == "Bearer collect")
      let commits = spans.filter { $0.attributes["db.system.name"] == "postgresql" }
      #expect(commits.count >= 2 && commits.allSatisfy { $0.parent == process.span && $0.kind == "client" })
      let call = try #require(spans.first { $0.attributes["http.request.method"] == "POST" }, "\(names)")
      #expect(call.name == "POST" && call.kind == "client" && call.parent == process.span && call.error == nil)
      #expect(call.attributes["http.response.status_code"] == 201 && call.attributes["server.address"] == "127.0.0.1")

      #expect(await eventually { Self.events(watcher).count == 2 })
      let events = Self.events(watcher)
      #expect(events.map(\.type) == ["order.created", "order.confirmed"])
      for event in events {
        let create = try #require(spans.first { $0.attributes["messaging.message.id"] == .text(event.id) }, "\(names)")
        #expect(create.kind == "producer" && create.name == "create \(prefix).events:\(event.type)" && create.parent == process.span)
        // The consumer goes on from the span that tells how the event came to be.
        #expect(event.traceparent == "00-\(Self.trace)-\(create.span)-01")
        let send = try #require(spans.first { $0.links.contains(.init(trace: create.trace, span: create.span)) }, "\(names)")
        #expect(send.name == "send \(prefix).events" && send.attributes["messaging.operation.type"] == "send" && send.error == nil)
      }
      #expect(spans.allSatisfy { span in span.parent == Self.publisher || spans.contains { $0.span == span.parent } }, "a span has no parent")
    }
    await sandbox.end()
  }

  @Test func aReplayedDeadLetterBeginsATraceThatIsLinkedToTheOldOne() async throws {
    try await Self.withWorker { world, collector, _ in
      // A trigger refuses the order until it is mended.
      try await world.sql(
        """
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused for a test'; END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()
        """)
      try await Self.publish(world, id: "m-1", body: AuthenticatedWorld.order, traceparent: "00-\(Self.trace)-\(Self.publisher)-01")
      #expect(await AuthenticatedWorld.waitFor(1, world, "SELECT count(*) FROM dead_letters WHERE state = 'parked'"))
      let failed = await collector.spans(of: Self.trace, count: 2)
      #expect(failed.contains { $0.attributes["orders.outcome"] == "retried" } && failed.allSatisfy { $0.parent == Self.publisher })
      let last = try #require(failed.first { $0.attributes["orders.outcome"] == "dead_lettered" })
      #expect(last.error?.contains("refused for a test") == true)
      try await world.sql("DROP TRIGGER refuse ON orders")
      #expect(try await world.run("dead-letters", "replay", "--reason", "retries_exhausted").code == 0)
      #expect(await eventually(within: .seconds(30)) { collector.spans.contains { $0.attributes["orders.outcome"] == "accepted" } })
      let replayed = try #require(collector.spans.first { $0.attributes["orders.outcome"] == "accepted" })
      #expect(replayed.trace != Self.trace && replayed.parent == "" && replayed.links == [.init(trace: Self.trace, span: Self.publisher)])
    }
  }

  @Test func aCollectorThatIsAwayHoldsNothingUp() async throws {
    let port = freePort()
    let settings = ["ORDERS_OTLP_ENDPOINT": "http://127.0.0.1:\(port)", "ORDERS_TRACE_SHARE": "1"]
    try await ServerWorld.with(settings) { world in
      let files = try Program.Files()
      defer { files.remove() }
      let process = try world.start("run", files: files)
      #expect(await eventually(within: .seconds(60)) { files.errors.contains("health is served") })
      try await world.sql("INSERT INTO inventory (tenant_id, product_id, on_hand) VALUES ('default', 'p', 1000)")
      let many = try await world.run("send", "order.create", "-", "--wait", "--count", "50", input: AuthenticatedWorld.order)
      #expect(many.errors.contains("50 accepted"), "\(many.errors)")
      #expect(await eventually(within: .seconds(30)) { files.errors.contains("the collector does not take traces") })
      #expect(files.errors.split(separator: "\n").count { $0.contains("the collector does not take traces") } == 1)
      let began = ContinuousClock.now
      process.terminate()
      #expect(await eventually(within: .seconds(30)) { !process.isRunning } && process.terminationStatus == 0)
      #expect(ContinuousClock.now - began < .seconds(10))
    }
  }
}
