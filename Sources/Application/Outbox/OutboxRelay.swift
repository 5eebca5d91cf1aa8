import Domain

/// Sends the events and replies that dead workers left in the outbox. One relay leads, by a lease; it finds rows by looking, never by a cursor, since the
/// order in which transactions commit is not that of any sequence.
package struct OutboxRelay: Sendable {
  package struct Settings: Sendable {
    /// Rows younger than this are still with the worker that committed them.
    package var age = Duration.seconds(2)
    package var pause = Duration.seconds(1)
    package var lease = Duration.seconds(10)
    package var page = 500
    package init() {}
  }

  private let outbox: any Outbox
  private let events: any EventPublisher
  private let replies: any ReplySender
  private let cache: any SnapshotCache
  private let journal: any PipelineJournal
  private let holder: String
  private let settings: Settings
  private let clock: any Clock<Duration>

  package init(
    outbox: any Outbox, events: any EventPublisher, replies: any ReplySender, cache: any SnapshotCache, journal: any PipelineJournal, holder: String,
    settings: Settings = Settings(), clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.outbox = outbox
    self.events = events
    self.replies = replies
    self.cache = cache
    self.journal = journal
    self.holder = holder
    self.settings = settings
    self.clock = clock
  }

  /// Works until the task is cancelled, then gives the lease back.
  package func run() async {
    while !Task.isCancelled {
      // A store that is away shows in its own dependency; the next look finds what this one missed.
      _ = try? await relayDue()
      try? await clock.sleep(for: settings.pause)
    }
    try? await outbox.release(holder: holder)
  }

  /// Sends everything that is due now, if this relay leads. Returns how many events the broker confirmed.
  package func relayDue() async throws(StoreError) -> Int {
    var sent = 0
    while !Task.isCancelled, try await outbox.lease(holder: holder, for: settings.lease) {
      let page = try await outbox.oldest(age: settings.age, limit: settings.page)
      if page.isEmpty { break }
      if !page.replies.isEmpty {
        await replies.send(page.replies.map(\.reply))
        try await outbox.forget(page.replies.map(\.key))
      }
      let due = page.events
      if due.isEmpty { continue }
      // What the cache has may be as old as the worker that died before it could say more.
      await cache.remove(due.map(\.key.order))
      let confirmed = await events.publish(due)
      let (good, bad) = (zip(due, confirmed).filter(\.1).map(\.0.key), zip(due, confirmed).filter { !$0.1 }.map(\.0.key))
      for (type, count) in zip(due, confirmed).filter(\.1).map(\.0.type).tally { journal.note(.eventsPublished(type: type, count: count)) }
      // Told before anything else can fail: they are out.
      if !good.isEmpty {
        journal.note(.relayed(count: good.count))
        try await outbox.forget(good)
      }
      if !bad.isEmpty { try await outbox.postpone(bad) }
      sent += good.count
      if good.isEmpty { break }
    }
    return sent
  }
}
