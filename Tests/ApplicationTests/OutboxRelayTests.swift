import Application
import Domain
import Synchronization
import TestSupport
import Testing

@Suite struct OutboxRelayTests {
  /// Has one page, and then is away: at once, or before it has forgotten what was sent.
  private final class FailingOutbox: Outbox {
    let forgets: Bool
    private let looks = Mutex(0)

    init(forgets: Bool) { self.forgets = forgets }

    func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool { true }
    func release(holder: String) async throws(StoreError) {}
    func postpone(_ keys: [OutboxKey]) async throws(StoreError) {}
    func forget(_ sent: [OutboxKey]) async throws(StoreError) { if !forgets { throw .unavailable("away") } }

    func oldest(age: Duration, limit: Int) async throws(StoreError) -> OutboxPage {
      let isFirst = looks.withLock { looks in
        looks += 1
        return looks == 1
      }
      if !isFirst { throw .unavailable("away") }
      return OutboxPage(
        events: (1...3).map { number in
          let order = OrderKey(tenant: .standard, order: OrderID("6f1c2d3e-0000-4000-8000-00000000000\(number)")!)
          return EncodedEvent(key: OutboxKey(order: order, version: 1, event: UUIDValue(high: 1, low: UInt64(number))), type: .created, body: [])
        })
    }
  }

  @Test(arguments: [true, false]) func whatIsOutIsToldWhateverFailsThen(forgets: Bool) async {
    let (journal, broker) = (RecordingJournal(), InMemoryBroker())
    let relay = OutboxRelay(
      outbox: FailingOutbox(forgets: forgets), events: broker, replies: broker, cache: broker, journal: journal, holder: "w")
    await #expect(throws: StoreError.self) { try await relay.relayDue() }
    #expect(journal.notes.compactMap { if case .relayed(let count) = $0 { count } else { nil } } == [3])
  }
}
