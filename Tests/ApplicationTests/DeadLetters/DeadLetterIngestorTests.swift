import Application
import Domain
import Synchronization
import TestSupport
import Testing

@Suite struct DeadLetterIngestorTests {
  /// A letter's number is its body; its time of failure the priority, in seconds.
  private struct NumberCodec: DeadLetterCodec {
    let contract: DeadLetterStoreContract

    func read(_ received: ReceivedMessage, at now: Timestamp) -> DeadLetterArrival {
      let number = UInt64(String(decoding: received.message.body, as: UTF8.self))!
      return DeadLetterArrival(letter: contract.letter(number, after: Int(received.message.priority ?? 0)), isDated: true)
    }

    func replay(_ letter: DeadLetter, body: [UInt8], under principal: Principal, mark: ReplayMark) -> ReplayMessage {
      ReplayMessage(message: Message(exchange: "", routingKey: "", body: body), mark: nil)
    }
  }

  private final class Notes: DeadLetterJournal {
    private let notes = Mutex<[DeadLetterNote]>([])
    func note(_ note: DeadLetterNote) { notes.withLock { $0.append(note) } }
    var refused: [String?] { notes.withLock { $0.compactMap { if case .notIngested(let letter, _) = $0 { letter.messageID } else { nil } } } }
  }

  private func message(_ number: Int, failedAfter seconds: UInt8 = 0) -> Message {
    Message(exchange: "", routingKey: "orders.dead-letter", priority: seconds, body: Array("\(number)".utf8))
  }

  private func run(_ store: InMemoryDeadLetterStore, _ notes: Notes = Notes(), _ body: (InMemorySource) async throws -> Void) async throws {
    let source = InMemorySource()
    let ingestor = DeadLetterIngestor(
      source: source, codec: NumberCodec(contract: DeadLetterStoreContract(store)), store: store, journal: notes,
      now: { DeadLetterStoreContract.start })
    async let running: Void = ingestor.run()
    let result: Result<Void, any Error>
    do { result = .success(try await body(source)) } catch { result = .failure(error) }
    await ingestor.drain()
    await running
    try result.get()
  }

  @Test func lettersAreAcknowledgedOnceTheyAreKept() async throws {
    let store = InMemoryDeadLetterStore()
    try await run(store) { source in
      source.deliver((1...5).map { message($0) })
      #expect(await eventually { source.hasAcknowledged(upTo: 5) })
      #expect(store.all.count == 5)
    }
  }

  @Test func twoFailuresOfOneLetterInABatchAreOneRowAndBothTold() async throws {
    let store = InMemoryDeadLetterStore()
    try await run(store) { source in
      source.deliver([message(1, failedAfter: 1), message(2), message(1, failedAfter: 2), message(1, failedAfter: 2)])
      #expect(await eventually { source.hasAcknowledged(upTo: 4) })
      #expect(store.all.map(\.history.count).sorted() == [1, 2])
    }
  }

  @Test func anAbsentStoreIsWaitedForAndNothingIsAcknowledgedMeanwhile() async throws {
    let store = InMemoryDeadLetterStore(faults: [.unavailable("away"), .conflict("disturbed"), .unavailable("away")])
    try await run(store) { source in
      source.deliver([message(1)])
      #expect(await eventually { source.hasAcknowledged(upTo: 1) })
      #expect(store.all.count == 1)
    }
  }

  @Test func aLetterThatCannotBeStoredDoesNotHoldUpTheOthers() async throws {
    // Whole, first half, second half: of two letters the second is refused for good.
    let store = InMemoryDeadLetterStore(faults: [.refused("a value"), .refused("a value")])
    let notes = Notes()
    try await run(store, notes) { source in
      source.deliver([message(1), message(2)])
      #expect(await eventually { source.settled == [.acknowledgeOne(2)] })
      #expect(store.all.map(\.messageID) == ["m-2"] && notes.refused == ["m-1"])
    }
  }
}
