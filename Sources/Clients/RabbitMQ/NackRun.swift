/// Tells a channel that only nacks: on RabbitMQ 3.10 one whose first publish fell into a leader's election nacks every later one until it
/// is replaced. A full queue nacks too, so the channel is replaced at most once a second.
struct NackRun {
  private var count = 0
  private var first: ContinuousClock.Instant?

  mutating func add(_ nacks: Int) {
    guard nacks > 0 else { return }
    count += nacks
    first = first ?? .now
  }

  mutating func end() {
    count = 0
    first = nil
  }

  var asksForNewChannel: Bool { count >= 3 && lasts(.seconds(1)) }

  /// Too long to wait for what is still open on the channel.
  var hasWaitedLong: Bool { lasts(.seconds(3)) }

  private func lasts(_ duration: Duration) -> Bool { first.map { $0.duration(to: .now) > duration } ?? false }
}
