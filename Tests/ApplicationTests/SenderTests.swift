import Application
import Domain
import Synchronization
import TestSupport
import Testing

/// What becomes of commands whose senders cannot be told yet, or not any more.
@Suite struct SenderTests {
  /// Says by a message's header `sender` what is known of its sender.
  private final class Doorman: CommandDecoder {
    private let codec = PlainCodec()
    private let state = Mutex<(known: Set<String>, isAway: Bool, looks: Int)>(([], false, 0))
    private let onLook: @Sendable (Doorman) -> Void
    init(onLook: @escaping @Sendable (Doorman) -> Void = { _ in }) { self.onLook = onLook }

    func know(_ key: String) { state.withLock { _ = $0.known.insert(key) } }
    var isAway: Bool {
      get { state.withLock { $0.isAway } }
      set { state.withLock { $0.isAway = newValue } }
    }
    var looks: Int { state.withLock { $0.looks } }

    func decode(_ received: ReceivedMessage) -> DecodedCommand {
      let (known, isAway) = state.withLock { ($0.known, $0.isAway) }
      if isAway { return .keysUnavailable("no keys") }
      let decoded = codec.decode(received)
      guard let sender = received.message.header("sender")?.text, case .command(let envelope) = decoded else { return decoded }
      if sender == "expired" {
        return .command(
          CommandEnvelope(
            identity: envelope.identity, principal: envelope.principal, tokenExpired: "token_expired: too late", command: envelope.command,
            fingerprint: envelope.fingerprint, data: envelope.data, correlationID: envelope.correlationID, replyTo: envelope.replyTo,
            traceparent: nil, journey: envelope.journey))
      }
      if known.contains(sender) { return decoded }
      return .unknownKey(Refusal(.unauthenticated, "unknown key", of: envelope))
    }

    func sender(of message: Message) -> Principal? { .anonymous }

    func keysLookedAt() async {
      try? await Task.sleep(for: .milliseconds(20))
      state.withLock { $0.looks += 1 }
      onLook(self)
    }
  }

  private static func create(_ id: String, order: UInt64, sender: String? = nil) -> Message {
    var message = PipelineFixture.create(id, order: order)
    if let sender { message.headers.append(MessageHeader("sender", .string(sender))) }
    return message
  }

  @Test func aCommandWithAnUnknownKeyWaitsForALookAndHoldsUpNobody() async throws {
    let doorman = Doorman { $0.know("new") }
    let fixture = PipelineFixture(decoder: doorman)
    try await fixture.run {
      fixture.source.deliver([Self.create("m1", order: 1, sender: "new"), Self.create("m2", order: 2), Self.create("m3", order: 3, sender: "never")])
      #expect(await eventually { fixture.replies.count == 3 })
    }
    #expect(fixture.replies == ["m1": ["accepted"], "m2": ["accepted"], "m3": ["dead_lettered:unauthenticated"]])
    #expect(fixture.broker.all.replies.first?.correlationID == "m2", "what is known goes on")
    #expect(fixture.broker.all.forwarded.count == 1 && doorman.looks == 1)
  }

  @Test func withoutKeysEverythingWaitsInItsOrderAndNothingIsCounted() async throws {
    let doorman = Doorman()
    doorman.isAway = true
    let fixture = PipelineFixture(decoder: doorman)
    try await fixture.run {
      fixture.source.deliver((1...50).map { Self.create("m\($0)", order: $0) })
      #expect(await eventually { doorman.looks >= 3 })
      #expect(fixture.broker.all.replies.isEmpty && fixture.broker.all.forwarded.isEmpty)
      doorman.isAway = false
      #expect(await eventually { fixture.replies.count == 50 })
    }
    #expect(fixture.broker.all.replies.map(\.correlationID) == (1...50).map { "m\($0)" } && fixture.broker.all.forwarded.isEmpty)
  }

  @Test(arguments: [true, false]) func aWorkerThatStopsGivesBackWhatWaitsForKeys(isAway: Bool) async throws {
    let doorman = Doorman()
    doorman.isAway = isAway
    let fixture = PipelineFixture(decoder: doorman)
    let report = try await fixture.run {
      fixture.source.deliver((1...5).map { Self.create("m\($0)", order: $0, sender: "new") })
      if isAway { #expect(await eventually { doorman.looks >= 1 }) }
      await fixture.pipeline.drain()
    }
    #expect(report.settled + report.unsettled == 5 && fixture.broker.all.replies.count == report.settled && (!isAway || report.settled == 0))
  }

  @Test func anExpiredTokenGetsTheFirstAnswerAgainAndNothingElse() async throws {
    let fixture = PipelineFixture(decoder: Doorman())
    try await fixture.run {
      fixture.source.deliver([Self.create("m1", order: 1)])
      #expect(await eventually { fixture.replies.count == 1 })
      var another = Self.create("m1", order: 1, sender: "expired")
      another.body = PlainCodec.body(order: PipelineFixture.order(1), [("p", 2)])
      fixture.source.deliver([Self.create("m1", order: 1, sender: "expired"), Self.create("m2", order: 2, sender: "expired"), another])
      #expect(await eventually { fixture.broker.all.replies.count == 4 })
    }
    #expect(fixture.replies["m1"]?.sorted() == ["accepted", "dead_lettered:unauthenticated", "duplicate:accepted"], "also where the body differs")
    #expect(fixture.replies["m2"] == ["dead_lettered:unauthenticated"] && fixture.store.snapshot.orders.count == 1)
  }
}
