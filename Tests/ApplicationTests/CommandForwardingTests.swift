import Application
import Domain
import TestSupport
import Testing

/// Dead letters and retries: what is forwarded, and what is told of it.
@Suite struct CommandForwardingTests {
  private typealias Fixture = PipelineFixture

  @Test func aDeadLetterKeepsTheMessageAndDropsTheToken() async throws {
    let fixture = Fixture()
    var bad = Fixture.create("m1", order: 1)
    bad.body = Array("?".utf8)
    let message = bad
    try await fixture.run {
      fixture.source.deliver([message, Fixture.create("m2", order: 2)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    let letter = try #require(fixture.broker.all.forwarded.first)
    #expect(letter.messageID == "m1" && letter.body == message.body && letter.exchange.isEmpty && letter.persistent)
    #expect(letter.header("x-reason") == .string("malformed"))
    #expect(letter.header("x-original-exchange") == .string("orders.commands"))
    #expect(letter.header("x-original-routing-key") == .string("order.create"))
    #expect(letter.header("mine") == .string("kept"))
    #expect(letter.header("authorization") == nil)
    for name in ["x-error", "x-attempt", "x-first-failed-at", "x-failed-at", "x-worker"] { #expect(letter.header(name) != nil, "\(name)") }
    #expect(fixture.replies["m1"] == ["dead_lettered:malformed"])
    #expect(fixture.replies["m2"] == ["accepted"], "the good one beside it is done")
  }

  @Test func aDeadLetterIsNotAcknowledgedBeforeItIsSafe() async throws {
    let (broker, journal) = (InMemoryBroker(refusals: 3), RecordingJournal())
    let fixture = Fixture(broker: broker, journal: journal)
    var bad = Fixture.create("m1", order: 1)
    bad.body = []
    let message = bad
    try await fixture.run {
      fixture.source.deliver([message])
      #expect(await eventually { !broker.all.forwarded.isEmpty })
      #expect(await eventually { fixture.source.settled == [.acknowledge(upTo: 1)] })
    }
    #expect(broker.all.forwarded.count == 1)
    let errors = journal.notes.compactMap { if case .notForwarded(_, let error) = $0 { error } else { nil } }
    #expect(errors == Array(repeating: "orders.dead-letter: refused on demand", count: 3), "whose queue it is, is told")
  }

  /// One that is given back is done by somebody else: it was neither retried nor put off here.
  @Test func whatIsGivenBackInsteadOfForwardedIsNotTold() async throws {
    let (journal, tracer) = (RecordingJournal(), RecordingTracer(begins: [true]))
    let broker = InMemoryBroker(refusals: .max)
    let fixture = Fixture(broker: broker, journal: journal, tracer: tracer)
    let culprit = MessageID("m1")!
    fixture.store.setFault { keys, _ in keys.identities.contains { $0.message == culprit } ? .refused("check violated") : nil }
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1), Fixture.update("m2", order: 2, to: .cancelled)])
      #expect(await eventually { journal.notes.contains { if case .notForwarded = $0 { true } else { false } } })
      await fixture.pipeline.drain()
    }
    let told = journal.notes.filter { note in
      switch note {
      case .retried, .waits: true
      default: false
      }
    }
    #expect(told.isEmpty && !tracer.spans.contains { $0.kind == .consumer } && fixture.source.settled.isEmpty, "\(told), \(tracer.spans)")
  }
}
