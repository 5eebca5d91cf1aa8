/// How fast a replay goes, in steps: so many letters, and so much time for them.
package enum ReplayPace: Sendable, Equatable {
  case unlimited
  /// So many letters a second.
  case rate(Double)
  /// 1, 10, 100 and then this many letters a second, each step after the one before has settled.
  case ramp(to: Double)

  private static let chunk = 500
  private static let ramp = [1, 10, 100]

  package func letters(inStep step: Int) -> Int {
    switch self {
    case .unlimited: Self.chunk
    case .rate(let rate): Self.letters(rate)
    case .ramp(let rate): step < Self.ramp.count ? min(Self.ramp[step], Self.letters(rate)) : Self.letters(rate)
    }
  }

  func time(ofStep step: Int, letters: Int) -> Duration {
    switch self {
    case .unlimited: .zero
    case .rate(let rate), .ramp(let rate): .seconds(Double(letters) / rate)
    }
  }

  /// Whether the next step waits for this one to settle.
  var settles: Bool { if case .ramp = self { true } else { false } }

  /// A second's worth, at most a chunk at once; the time of a step makes the rate.
  private static func letters(_ rate: Double) -> Int { Int(min(max(rate, 1), Double(chunk))) }
}
