import Application
import Domain
import TestSupport
import Testing

/// What the pipeline tells of its work in traces.
@Suite struct TracingTests {
  private static let sender = TraceContext("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01")!

  private static func create(_ number: UInt64, _ trace: String?, quantity: Int64 = 1) -> Message {
    var message = PipelineFixture.create("m-\(number)", order: number, [("p", quantity)])
    if let trace { message.headers.append(MessageHeader("traceparent", .string(trace))) }
    return message
  }

  /// The spans of a run in which these were delivered together.
  private static func spans(
    of messages: [Message], begins: [Bool] = [false], fault: StoreError? = nil
  ) async throws -> (spans: [Span], fixture: PipelineFixture) {
    let tracer = RecordingTracer(begins: begins)
    let fixture = PipelineFixture(stock: ["p": 5], rungs: [], tracer: tracer)
    fixture.store.setFault { _, _ in fault }
    try await fixture.run {
      fixture.source.deliver(messages)
      #expect(await eventually { fixture.broker.all.replies.count == messages.count })
    }
    return (tracer.spans, fixture)
  }

  @Test func oneCommandsTransactionAndEventAreInItsSendersTrace() async throws {
    let (spans, fixture) = try await Self.spans(of: [Self.create(1, Self.sender.traceparent)])
    #expect(spans.allSatisfy { $0.context.trace == Self.sender.trace } && Set(spans.map(\.context.span)).count == spans.count)
    let process = try #require(spans.first { $0.kind == .consumer })
    #expect(process.parent == Self.sender.span && process.links.isEmpty && process.error == nil)
    #expect(process.name == "process orders.commands:order.create:orders.commands")
    #expect(process.attributes["messaging.message.id"] == "m-1" && process.attributes["orders.outcome"] == "accepted")
    let commit = try #require(spans.first { $0.name == "COMMIT" })
    #expect(commit.kind == .client && commit.parent == process.context.span && commit.attributes["db.operation.batch.size"] == 1)
    let created = try #require(spans.first { $0.kind == .producer })
    #expect(created.name == "create orders.events:order.created" && created.parent == process.context.span)
    let sent = try #require(spans.first { $0.name == "send orders.events" })
    #expect(sent.kind == .client && sent.links == [created.context])
    // What goes out says where it belongs.
    #expect(fixture.broker.all.replies.map(\.traceparent) == [process.context.traceparent])
    #expect(fixture.broker.all.events.map(\.trace?.context) == [created.context])
  }

  @Test func aTransactionOfSeveralCommandsIsATraceOfItsOwnWithLinksBothWays() async throws {
    let other = TraceContext.random()
    let (spans, _) = try await Self.spans(of: [Self.create(1, Self.sender.traceparent), Self.create(2, other.traceparent), Self.create(3, nil)])
    let processes = spans.filter { $0.kind == .consumer }
    #expect(Set(processes.map(\.context.trace)) == [Self.sender.trace, other.trace])
    let commit = try #require(spans.first { $0.name == "COMMIT" })
    #expect(commit.parent == nil && ![Self.sender.trace, other.trace].contains(commit.context.trace))
    #expect(Set(commit.links) == Set(processes.map(\.context)) && commit.attributes["db.operation.batch.size"] == 3)
    #expect(processes.allSatisfy { $0.links == [commit.context] })
  }

  @Test(arguments: [nil, sender.traceparent.dropLast() + "0", "nonsense"])
  func whatIsNotSampledIsNotRecordedAndPassedOnAsItCame(trace: String?) async throws {
    let (spans, fixture) = try await Self.spans(of: [Self.create(1, trace)])
    #expect(spans.isEmpty && fixture.broker.all.replies.map(\.traceparent) == [trace])
  }

  @Test func aCommandWithoutATraceMayBeginOne() async throws {
    let (spans, _) = try await Self.spans(of: [Self.create(1, nil)], begins: [true])
    let process = try #require(spans.first { $0.kind == .consumer })
    #expect(process.parent == nil && spans.filter { $0.context.trace == process.context.trace }.count == spans.count)
  }

  @Test func aRejectedCommandSaysWhyAndIsNoError() async throws {
    let (spans, _) = try await Self.spans(of: [Self.create(1, Self.sender.traceparent, quantity: 9)])
    let process = try #require(spans.first { $0.kind == .consumer })
    #expect(process.attributes["orders.outcome"] == "rejected" && process.attributes["orders.rejection"] == "out_of_stock" && process.error == nil)
  }

  @Test func whatCannotBeDoneIsAnErrorInItsTrace() async throws {
    var message = Self.create(1, Self.sender.traceparent)
    message.body = Array("nonsense".utf8)
    message.routingKey = "made-up.key"
    let (spans, _) = try await Self.spans(of: [message])
    let process = try #require(spans.first { $0.kind == .consumer })
    #expect(process.name == "process orders.commands:orders.commands", "what outsiders write is in no span's name")
    #expect(process.attributes["error.type"] == "malformed" && process.error == "not a test command" && process.parent == Self.sender.span)
  }

  @Test func oneThatWasTriedInVainSaysWhyInItsTrace() async throws {
    let (spans, _) = try await Self.spans(of: [Self.create(1, Self.sender.traceparent)], fault: .refused("check violated"))
    let process = try #require(spans.first { $0.kind == .consumer })
    #expect(process.attributes["error.type"] == "retries_exhausted" && process.error == "check violated")
    #expect(process.attributes["orders.outcome"] == "dead_lettered" && spans.count == 1)
  }

  /// Whether a trace begins is asked once.
  @Test func aDeadLetterWhoseTraceWasNotToBeginHasNone() async throws {
    let (spans, _) = try await Self.spans(of: [Self.create(1, nil)], begins: [false, true], fault: .refused("check violated"))
    #expect(spans.isEmpty, "\(spans)")
  }

  @Test func aReplayIsATraceOfItsOwnLinkedToTheOldOne() async throws {
    var message = Self.create(1, Self.sender.traceparent)
    message.headers.append(MessageHeader("x-order-principal", .string("0/0/0/6f1c2d3e-1111-4222-8333-444455556666/alice")))
    let (spans, _) = try await Self.spans(of: [message])
    let process = try #require(spans.first { $0.kind == .consumer })
    #expect(process.parent == nil && process.context.trace != Self.sender.trace && process.links == [Self.sender])
  }
}
