import Application
import Domain
import Synchronization
import TestSupport
import Testing

/// A message that kills its worker is told from those that stood beside it.
@Suite struct TrialTests {
  typealias Fixture = PipelineFixture

  private static func delivered(_ count: Int64, _ message: Message) -> Message {
    var message = message
    message.headers.append(MessageHeader("x-delivery-count", .int64(count)))
    return message
  }

  /// The bodies' hash is empty here, so that all messages share their notes.
  private static func notes(of lives: UInt64) async throws -> InMemoryTrialNotes {
    let notes = InMemoryTrialNotes()
    for life in 0..<lives { _ = try await notes.begin(TrialKey([]), life: UUIDValue(high: life, low: 0)) }
    return notes
  }

  @Test(arguments: [(Int64(2), true, 1), (3, false, 1), (3, true, 3), (50, true, 3)])
  func whatCameBackThreeTimesIsHandledAlone(count: Int64, redelivered: Bool, transactions: Int) async throws {
    let fixture = Fixture()
    let before = Mutex<[Bool]>([])
    fixture.store.setFault { _, number in
      before.withLock { $0.append(number == 1 || fixture.source.hasAcknowledged(upTo: UInt64(number - 1))) }
      return nil
    }
    try await fixture.run {
      fixture.source.deliver(
        [Fixture.create("m1", order: 1), Self.delivered(count, Fixture.create("m2", order: 2)), Fixture.create("m3", order: 3)], redelivered: redelivered)
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 3) })
    }
    #expect(fixture.store.snapshot.transactions == transactions)
    #expect(before.withLock { !$0.contains(false) }, "what came before it is settled before it is tried, and it before what comes after it")
    #expect(fixture.broker.all.replies.count == 3 && fixture.trials.count == 0)
  }

  @Test func oneDeathIsNotEnough() async throws {
    let fixture = Fixture(trials: try await Self.notes(of: 1))
    try await fixture.run {
      fixture.source.deliver([Self.delivered(4, Fixture.create("m1", order: 1))], redelivered: true)
      #expect(await eventually { fixture.replies["m1"] == ["accepted"] })
    }
    #expect(fixture.trials.count == 1)
  }

  @Test func afterTwoDeathsItIsNotEvenReadAndThoseBesideItAreDone() async throws {
    let fixture = Fixture(trials: try await Self.notes(of: 2))
    try await fixture.run {
      fixture.source.deliver([Self.delivered(5, Fixture.create("m1", order: 1)), Fixture.create("m2", order: 2)], redelivered: true)
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    let forwarded = try #require(fixture.broker.all.forwarded.first)
    #expect(forwarded.messageID == "m1" && forwarded.header("x-reason")?.text == "delivery_limit")
    #expect(forwarded.header("x-order-principal") != nil, "whose sender is known, by its headers")
    #expect(fixture.store.snapshot.orders.count == 1 && fixture.replies["m2"] == ["accepted"])
  }

  /// Nothing else would tell why all that comes after it waits.
  @Test func aDatabaseThatCannotTakeTheNoteIsToldOfOnce() async throws {
    let journal = RecordingJournal()
    let notes = InMemoryTrialNotes()
    notes.fail([.refused("no right on delivery_trials"), .unavailable("no space left")])
    let fixture = Fixture(journal: journal, trials: notes)
    try await fixture.run {
      fixture.source.deliver([Self.delivered(3, Fixture.create("m1", order: 1))], redelivered: true)
      #expect(await eventually { fixture.replies["m1"] == ["accepted"] })
    }
    let lines = journal.notes.compactMap { note -> String? in
      switch note {
      case .storeUnavailable(let reason): reason
      case .storeAvailable: "back"
      default: nil
      }
    }
    #expect(lines == ["no right on delivery_trials", "back"])
  }

  @Test func aStopWhileItIsTriedGivesItBack() async throws {
    let fixture = Fixture()
    fixture.store.setFault { _, _ in .unavailable("away") }
    let report = try await fixture.run {
      fixture.source.deliver([Self.delivered(3, Fixture.create("m1", order: 1)), Fixture.create("m2", order: 2)], redelivered: true)
      #expect(await eventually { fixture.trials.count == 1 })
      await fixture.pipeline.drain()
    }
    #expect(report == .init(unsettled: 2) && fixture.trials.count == 0)
  }

  /// Each time that a message goes back is counted, and those that came back often are close to their end.
  @Test func aStopFinishesAlsoWhatIsTriedAlone() async throws {
    let fixture = Fixture()
    let report = try await fixture.run {
      fixture.source.deliver((1...20).map { Self.delivered(3, Fixture.create("m\($0)", order: $0)) }, redelivered: true)
      #expect(await eventually { fixture.trials.count == 1 })
      await fixture.pipeline.drain()
    }
    #expect(report.settled == 20 && report.unsettled == 0 && report.finished > 0 && fixture.trials.count == 0)
  }
}
