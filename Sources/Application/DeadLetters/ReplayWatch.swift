import Domain

/// The letters of a replay that are on their way, and what became of the others.
struct ReplayWatch {
  private(set) var underWay: Set<DeadLetterKey> = []
  private(set) var done = 0
  private(set) var failed = 0

  mutating func add(_ keys: [DeadLetterKey]) { underWay.formUnion(keys) }

  /// What was found of these; returns what there is to tell.
  mutating func take(_ progress: [DeadLetterKey: ReplayProgress], of looked: [DeadLetterKey]) -> [DeadLetterReplay.Note] {
    var notes: [DeadLetterReplay.Note] = []
    for key in looked {
      switch progress[key] {
      case .underWay: continue
      // A letter that is gone was settled and let go of.
      case .done, nil: done += 1
      case .rejected(let code):
        done += 1
        notes.append(.init(key: key, kind: .rejected, why: "its command was done, and rejected\(code.map { ": \($0.rawValue)" } ?? "")"))
      case .failed:
        failed += 1
        notes.append(.init(key: key, kind: .failed, why: "it failed again"))
      }
      underWay.remove(key)
    }
    return notes
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

  /// Looks what became of the letters under way; waits for all of them where the pace says so, and where there are no others to send.
  func look(_ watch: inout ReplayWatch, _ report: inout Report, atEnd: Bool = false) async throws(StoreError) {
    guard watches, report.aborted == nil else { return }
    let settles = settings.pace.settles || atEnd
    let end = ContinuousClock.now + settings.settleLimit
    while true {
      let looked = Array(watch.underWay.prefix(Self.mostLooked))
      for note in watch.take(try await ports.store.progress(looked), of: looked) { tell(note, in: &report) }
      report.underWay = watch.underWay.count
      if let limit = settings.abortAbove, settles ? watch.underWay.isEmpty : watch.known >= Self.fewest, watch.failureRate > limit {
        report.aborted = """
          \(watch.failed) of \(watch.known) failed again, and are parked with their new errors, which `dead-letters list --by error` shows; called \
          again it goes on with the others, and these come last
          """
        return
      }
      if !settles || watch.underWay.isEmpty || Task.isCancelled { return }
      if ContinuousClock.now >= end {
        report.aborted = """
          \(watch.underWay.count) of those sent are still under way after \(settings.settleLimit.components.seconds) s, and stay `replaying`: the queue \
          of commands is long, a payment of their order is open, or no worker with the roles commands and dead-letters runs; called again it goes on \
          with the others
          """
        return
      }
      onProgress(report)
      try? await ports.clock.sleep(for: .milliseconds(100))
    }
  }
}
