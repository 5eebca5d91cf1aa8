import ClientRuntime

/// What is to be said of clocks that differ.
enum ClockJudge {
  static let unwise = Duration.seconds(1)
  static let wrong = Duration.seconds(5)
  static let why = "tokens, leases and times in events go by these clocks"
  static let mend = "have both machines follow a time server: `timedatectl set-ntp true`, then `chronyc tracking` or `timedatectl timesync-status`"

  /// Of one server against this machine.
  static func judge(_ clock: ClockReading, into list: inout FindingList) {
    let certain = clock.certain
    if certain <= unwise { return list.ok("clock", "within \(milliseconds(clock.most)) of this machine's") }
    let side = clock.skew > .zero ? "ahead of" : "behind"
    let found = "it is \(milliseconds(clock.skew)) \(side) this machine's clock, give or take \(milliseconds(clock.doubt)): \(why)"
    list.add(certain > wrong ? .problem : .warning, "clock", found, mend)
  }

  /// Of servers against each other, where each by itself is near enough to this machine.
  static func between(_ clocks: [(place: String, clock: ClockReading)]) -> [Finding] {
    guard clocks.count > 1, clocks.allSatisfy({ $0.clock.certain <= unwise }) else { return [] }
    let last = clocks.max { $0.clock.skew < $1.clock.skew }!  // there are two
    let first = clocks.min { $0.clock.skew < $1.clock.skew }!  // as above
    let apart = last.clock.skew - first.clock.skew
    guard apart - last.clock.doubt - first.clock.doubt > unwise else { return [] }
    var list = FindingList(.clocks)
    list.warning("between servers", "\(last.place) is \(milliseconds(apart)) ahead of \(first.place): \(why)", mend: mend)
    return list.all
  }

  static func milliseconds(_ duration: Duration) -> String {
    let (seconds, attoseconds) = (duration < .zero ? .zero - duration : duration).components
    let milliseconds = seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return milliseconds < 10_000 ? "\(milliseconds) ms" : "\(milliseconds / 1_000) s"
  }
}
