import Domain

/// Finds dead letters whose commands were done after all, and replays that were begun and never published. One worker leads.
package struct DeadLetterKeeper: Sendable {
  package struct Settings: Sendable {
    package var pause = Duration.seconds(1)
    package var lease = Duration.seconds(10)
    package var page = 1_000
    /// How long a replay may take from its claim to the broker's confirm.
    package var patience = DeadLetterReplay.patience * 2
    package init() {}
  }

  private let store: any DeadLetterKeeping
  private let holder: String
  private let journal: any DeadLetterJournal
  private let settings: Settings
  private let clock: any Clock<Duration>

  package init(
    store: any DeadLetterKeeping, holder: String, journal: any DeadLetterJournal, settings: Settings = Settings(),
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
    while !Task.isCancelled {
      // A store that is away shows in its own dependency; the next look finds what this one missed.
      position = (try? await look(after: position)) ?? nil
      try? await clock.sleep(for: settings.pause)
    }
    try? await store.release(holder: holder)
  }

  /// One look, if this one leads, at a page of the open letters. Returns where the next one begins.
  package func look(after position: DeadLetterKey?) async throws(StoreError) -> DeadLetterKey? {
    guard try await store.lease(holder: holder, for: settings.lease) else { return nil }
    let (settled, next) = try await store.settle(after: position, limit: settings.page)
    if settled > 0 { journal.note(.settled(count: settled)) }
    let takenBack = try await store.takeBack(patience: settings.patience)
    if takenBack > 0 { journal.note(.takenBack(count: takenBack)) }
    return next
  }
}
