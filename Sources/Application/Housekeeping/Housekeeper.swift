import Domain

/// Finds what time has made due and hands it to the pipeline as commands. One worker leads; two at once would only look twice.
package struct Housekeeper: Sendable {
  package struct Settings: Sendable {
    package var reservationTTL: Duration
    package var pause = Duration.seconds(1)
    package var lease = Duration.seconds(10)
    package var page = 500
    /// How long the exact request of a settled payment is kept.
    package var keepRequests = Duration.seconds(7 * 86_400)
    /// Looks between two times of trimming.
    package var looksPerTrim = 60

    package init(reservationTTL: Duration) { self.reservationTTL = reservationTTL }
  }

  private let store: any Housekeeping
  private let commands: OwnCommands
  private let holder: String
  private let settings: Settings
  private let clock: any Clock<Duration>

  package init(
    store: any Housekeeping, commands: OwnCommands, holder: String, settings: Settings, clock: any Clock<Duration> = ContinuousClock()
  ) {
    self.store = store
    self.commands = commands
    self.holder = holder
    self.settings = settings
    self.clock = clock
  }

  /// Works until the task is cancelled, then gives the lease back.
  package func run() async {
    var looks = 0
    while !Task.isCancelled {
      // A store that is away shows in its own dependency; the next look finds what this one missed.
      do {
        try await expireDue()
        if looks % settings.looksPerTrim == 0 {
          try await trim()
          if try await store.lease(holder: holder, for: settings.lease) { try await store.anchorAudit(by: holder) }
        }
        looks += 1
      } catch {}
      try? await clock.sleep(for: settings.pause)
    }
    try? await store.release(holder: holder)
  }

  /// Expires all that is due now, if this one leads.
  package func expireDue() async throws(StoreError) {
    var before: [OrderKey] = []
    while !Task.isCancelled, try await store.lease(holder: holder, for: settings.lease) {
      let due = try await store.expirable(after: settings.reservationTTL, limit: settings.page)
      // What the pipeline could not do is left to the next look.
      if due.isEmpty || due == before { return }
      await withDiscardingTaskGroup { group in
        for order in due { group.addTask { await commands.decide(.expire(order)) } }
      }
      if due.count < settings.page { return }
      before = due
    }
  }

  private func trim() async throws(StoreError) {
    while !Task.isCancelled, try await store.lease(holder: holder, for: settings.lease) {
      if try await store.trimPayments(olderThan: settings.keepRequests, limit: settings.page) < settings.page { return }
    }
  }
}
