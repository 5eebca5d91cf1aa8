/// Durations as people write them: a whole number and `ms`, `s`, `m` or `h`.
enum DurationText {
  private static let units: [(suffix: String, milliseconds: Int64)] = [("ms", 1), ("s", 1_000), ("m", 60_000), ("h", 3_600_000)]

  static func parse(_ text: String) -> Duration? {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard (1...9).contains(digits.count), let number = Int64(digits),
      let unit = units.first(where: { $0.suffix == text[digits.endIndex...] })
    else { return nil }
    return .milliseconds(number * unit.milliseconds)
  }

  /// In the largest unit that leaves no remainder.
  static func format(_ duration: Duration) -> String {
    let milliseconds = duration.components.seconds * 1_000 + duration.components.attoseconds / 1_000_000_000_000_000
    let unit = units.last { milliseconds % $0.milliseconds == 0 && milliseconds >= $0.milliseconds } ?? units[0]
    return "\(milliseconds / unit.milliseconds)\(unit.suffix)"
  }
}
