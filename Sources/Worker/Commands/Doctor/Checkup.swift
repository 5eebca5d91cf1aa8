import ClientRuntime
import Synchronization

/// Looks at all parts of a set-up side by side, so that what does not answer holds up nothing else.
struct Checkup: Sendable {
  /// For all that a part is asked; the rounds' own deadlines are shorter.
  private static let patience = Duration.seconds(13)

  private let configuration: Configuration

  init(_ configuration: Configuration) { self.configuration = configuration }

  func findings() async -> [Finding] {
    let now = ClockReading.wallClock.components.seconds
    async let files = Self.bounded(.files) { [configuration] in FilesRound(configuration).findings(now: now) }
    async let postgres = Self.bounded(.postgres) { [configuration] in await PostgresRound(configuration).look(now: now) }
    async let rabbitmq = Self.bounded(.rabbitmq) { [configuration] in await BrokerRound(configuration).look(now: now) }
    async let redis = Self.bounded(.redis) { [configuration] in await RedisRound(configuration).look() }
    async let keys = Self.bounded(.keys) { [configuration] in await KeysRound(configuration).look(now: now) }
    async let payment = Self.bounded(.payment) { [configuration] in await PaymentRound(configuration).look(now: now) }
    let parts = await [files, postgres, rabbitmq, redis, keys, payment]
    return ConfigurationJudge.judge(configuration) + parts.flatMap(\.findings) + ClockJudge.between(parts.flatMap(\.clocks))
  }

  /// What a round found, and the clocks that it read.
  struct Part: Sendable {
    var findings: [Finding]
    var clocks: [(place: String, clock: ClockReading)] = []
  }

  /// What the round finds, or that it has found no end; it is then left behind, for what it waits for may heed no cancellation.
  static func bounded(
    _ subject: Finding.Subject, within patience: Duration = patience, _ round: @escaping @Sendable () async -> Part
  ) async -> Part {
    await withCheckedContinuation { continuation in
      let isDone = Flag()
      Task {
        let part = await round()
        if isDone.raise() { continuation.resume(returning: part) }
      }
      Task {
        try? await Task.sleep(for: patience)
        guard isDone.raise() else { return }
        var list = FindingList(subject)
        list.problem("answer", "no end of it within \(DurationText.format(patience))", mend: "see that it answers at all, and run doctor again")
        continuation.resume(returning: Part(findings: list.all))
      }
    }
  }

  /// Raised once.
  private final class Flag: Sendable {
    private let isRaised = Mutex(false)

    /// Whether it was not raised before.
    func raise() -> Bool {
      isRaised.withLock { isRaised in
        defer { isRaised = true }
        return !isRaised
      }
    }
  }
}

/// What `body` makes of each element, all at once, in their order.
func sideBySide<Element: Sendable, Result: Sendable>(_ elements: [Element], _ body: @escaping @Sendable (Element) async -> Result) async -> [Result] {
  await withTaskGroup(of: (Int, Result).self) { group in
    for (index, element) in elements.enumerated() { group.addTask { (index, await body(element)) } }
    var results: [(Int, Result)] = []
    for await result in group { results.append(result) }
    return results.sorted { $0.0 < $1.0 }.map(\.1)
  }
}
