import Domain

/// The letters of a replay that are on their way, and what became of the others.
struct ReplayWatch {
  private(set) var underWay: Set<DeadLetterKey> = []
  private(set) var done = 0
  private(set) var failed = 0

  mutating func add(_ keys: [DeadLetterKey]) { underWay.formUnion(keys) }

  /// What was found of these; returns those that failed.
  mutating func take(_ progress: [DeadLetterKey: ReplayProgress], of looked: [DeadLetterKey]) -> [DeadLetterKey] {
    var fresh: [DeadLetterKey] = []
    for key in looked {
      switch progress[key] {
      case .underWay: continue
      // A letter that is gone was settled and let go of.
      case .done, nil: done += 1
      case .failed: fresh.append(key)
      }
      underWay.remove(key)
    }
    failed += fresh.count
    return fresh
  }

  /// Of a hundred letters that are known to have ended.
  var failureRate: Double { known == 0 ? 0 : Double(failed) * 100 / Double(known) }
  var known: Int { done + failed }
}

extension DeadLetterReplay {
  /// The fewest letters whose failures say something where nobody waits for them.
  private static let fewest = 10
  /// As many as are looked for at once.
  private static let mostLooked = 2_000

  var watches: Bool { settings.pace.settles || settings.abortAbove != nil }

  /// Looks what became of the letters under way; waits for all of them where the pace says so.
  func look(_ watch: inout ReplayWatch, _ report: inout Report) async throws(StoreError) {
    guard watches, report.aborted == nil else { return }
    let settles = settings.pace.settles
    let end = ContinuousClock.now + settings.settleLimit
    while true {
      let looked = Array(watch.underWay.prefix(Self.mostLooked))
      let failed = watch.take(try await ports.store.progress(looked), of: looked)
      report.failed += failed.count
      for key in failed { onNote(Note(key: key, kind: .failed, why: "it failed again")) }
      if let limit = settings.abortAbove, settles ? watch.underWay.isEmpty : watch.known >= Self.fewest, watch.failureRate > limit {
        report.aborted = "\(watch.failed) of \(watch.known) failed again"
        return
      }
      if !settles || watch.underWay.isEmpty || Task.isCancelled { return }
      if ContinuousClock.now >= end {
        report.aborted =
          "\(watch.underWay.count) letters were neither done nor parked again in time: is a worker with the roles commands and dead-letters running?"
        return
      }
      try? await ports.clock.sleep(for: .milliseconds(100))
    }
  }
}
