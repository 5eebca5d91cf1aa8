import Domain

/// Finds dead letters whose commands were done after all, and replays that were begun and never published, and lets go of what is old. One worker leads.
package struct DeadLetterKeeper: Sendable {
  package struct Settings: Sendable {
    package var pause = Duration.seconds(1)
    package var lease = Duration.seconds(10)
    package var page = 1_000
    /// How long a replay may take from its claim to the broker's confirm.
    package var patience = DeadLetterReplay.patience * 2
    package var retention: DeadLetterRetention
    /// Looks between two times of trimming.
    package var looksPerTrim = 60

    package init(retention: DeadLetterRetention) { self.retention = retention }
  }

  private let store: any DeadLetterKeeping
  private let holder: String
  private let journal: any DeadLetterJournal
  private let settings: Settings
  private let clock: any Clock<Duration>

  package init(
    store: any DeadLetterKeeping, holder: String, journal: any DeadLetterJournal, settings: Settings,
    clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.store = store
    self.holder = holder
    self.journal = journal
    self.settings = settings
    self.clock = clock
  }

  /// Works until the task is cancelled, then gives the lease back.
  package func run() async {
    var position: DeadLetterKey?
    var looks = 0
    while !Task.isCancelled {
      // A store that is away shows in its own dependency; the next look finds what this one missed.
      var hasMore = false
      do {
        (position, hasMore) = try await look(after: position)
        if looks % settings.looksPerTrim == 0 { try await trim() }
        looks += 1
      } catch {}
      if !hasMore { try? await clock.sleep(for: settings.pause) }
    }
    try? await store.release(holder: holder)
  }

  /// One look, if this one leads, at a page of the open letters. Returns where the next one begins, and whether more are known to be settled by now.
  private func look(after position: DeadLetterKey?) async throws(StoreError) -> (next: DeadLetterKey?, hasMore: Bool) {
    guard try await store.lease(holder: holder, for: settings.lease) else { return (nil, false) }
    let (settled, next) = try await store.settle(after: position, limit: settings.page)
    if settled > 0 { journal.note(.settled(count: settled)) }
    let takenBack = try await store.takeBack(patience: settings.patience)
    if takenBack > 0 { journal.note(.takenBack(count: takenBack)) }
    return (next, settled >= settings.page)
  }

  /// Removes what nobody needs any more, if this one leads.
  package func trim() async throws(StoreError) {
    while !Task.isCancelled, try await store.lease(holder: holder, for: settings.lease) {
      let count = try await store.trim(settings.retention, limit: settings.page)
      if count > 0 { journal.note(.trimmed(count: count)) }
      if count < settings.page { return }
    }
  }
}
