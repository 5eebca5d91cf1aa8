import Domain
import Synchronization
import TestSupport
import Testing

@testable import Application

@Suite struct CommandReferenceTests {
  typealias Fixture = PipelineFixture

  private static let traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
  private static let whole = CommandReference(messageID: "m1", correlationID: "c1", tenant: .standard, order: Fixture.order(1), traceparent: traceparent)

  private static func traced(_ message: Message) -> Message {
    var message = message
    message.correlationID = "c1"
    message.headers.append(MessageHeader("traceparent", .string(traceparent)))
    return message
  }

  @Test func triesOfACommandThatFailsNameIt() async throws {
    let journal = RecordingJournal()
    let fixture = Fixture(rungs: [.oneSecond], journal: journal)
    fixture.store.setFault { _, _ in .refused("check violated") }
    try await fixture.run {
      fixture.source.deliver([Self.traced(Fixture.create("m1", order: 1))])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 1) })
    }
    #expect(journal.words == ["in place", "in place", "in place", "1s"])
    #expect(journal.commands == [Self.whole])
  }

  @Test func ofADeadLetterAllIsNamedThatIsKnown() async throws {
    let journal = RecordingJournal()
    let fixture = Fixture(rungs: [], journal: journal)
    fixture.store.setFault { _, _ in .refused("check violated") }
    var bad = Fixture.create("m2", order: 2)
    bad.body = Array("?".utf8)
    let malformed = bad
    try await fixture.run {
      fixture.source.deliver([malformed, Self.traced(Fixture.create("m1", order: 1))])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    #expect(Set(journal.words) == ["malformed", "in place", "retries_exhausted"])
    #expect(journal.commands == [Self.whole, CommandReference(messageID: "m2")])
  }

  @Test(arguments: [(ScriptedProvider.Behaviour.loseAnswer, "unknown"), (.refuse, "no effect")])
  func aPaymentCallThatFailsNamesTheCommandBehindIt(behaviour: ScriptedProvider.Behaviour, word: String) async throws {
    let journal = RecordingJournal()
    let fixture = Fixture(provider: ScriptedProvider { _, number in number == 1 ? behaviour : .succeed }, journal: journal)
    try await fixture.run {
      fixture.source.deliver([Self.traced(Fixture.confirmedCreate("m1", order: 1))])
      #expect(
        await eventually {
          fixture.store.advance(by: .milliseconds(100))
          return fixture.replies["c1"] != nil
        })
    }
    #expect(journal.words == [word])
    #expect(journal.commands == [Self.whole])
  }

  @Test func aPaymentsResultThatTheStoreRefusesNamesTheCommandBehindIt() async throws {
    let journal = RecordingJournal()
    let fixture = Fixture(provider: ScriptedProvider(), journal: journal)
    let refusals = Mutex(1)
    fixture.store.setFault { keys, _ in
      let isResult = keys.identities.isEmpty && !keys.payments.isEmpty
      return isResult
        && refusals.withLock { left in
          defer { left -= 1 }
          return left > 0
        } ? .refused("check violated") : nil
    }
    try await fixture.run {
      fixture.source.deliver([Self.traced(Fixture.confirmedCreate("m1", order: 1))])
      #expect(
        await eventually {
          fixture.store.advance(by: .milliseconds(500))
          return fixture.replies["c1"] != nil
        })
    }
    #expect(journal.words == ["own"])
    #expect(journal.commands == [Self.whole])
  }

  @Test func anExpiryIsNamedAsItsEventNamesIt() {
    let key = OrderKey(tenant: .standard, order: Fixture.order(7))
    let name = "expire-\(key.order)"
    #expect(CommandReference(.expire(key)) == CommandReference(messageID: name, correlationID: name, tenant: .standard, order: key.order))
  }

  @Test(
    arguments: [
      (CommandReference(), [:]), (CommandReference(messageID: "m"), ["message_id": "m"]),
      (
        CommandReference(messageID: "m", correlationID: "c", tenant: .standard, order: Fixture.order(1), traceparent: traceparent),
        [
          "message_id": "m", "correlation_id": "c", "tenant_id": "default", "order_id": "00000000-0000-0000-0000-000000000001",
          "trace_id": "0af7651916cd43dd8448eb211c80319c",
        ]
      ),
      (CommandReference(traceparent: "nothing of the kind"), [:]),
    ] as [(CommandReference, [String: String])])
  func aLinesMembersHaveTheContractsNames(command: CommandReference, fields: [String: String]) { #expect(command.fields == fields) }
}

extension RecordingJournal {
  /// What names a command.
  fileprivate var named: [(word: String, command: CommandReference)] {
    notes.compactMap { note in
      switch note {
      case .deadLettered(let command, _, let reason, _): (reason.rawValue, command)
      case .retried(let command, let rung, _, _): (rung.rawValue, command)
      case .failedInPlace(let command, _, _): ("in place", command)
      case .ownCommandFailed(let command, _): ("own", command)
      case .paymentCallFailed(let command, _, let isUnknown, _): (isUnknown ? "unknown" : "no effect", command)
      default: nil
      }
    }
  }

  fileprivate var words: [String] { named.map(\.word) }
  fileprivate var commands: Set<CommandReference> { Set(named.map(\.command)) }
}
