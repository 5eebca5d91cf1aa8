import Domain

/// The header `Retry-After`: seconds, or a date as RFC 9110 prefers it (`Sun, 06 Nov 1994 08:49:37 GMT`).
enum RetryAfter {
  /// However long a provider asks to be left alone, it is asked again by then: a clock that is wrong must not stop payments.
  static let longest = Duration.seconds(30)
  /// Where it says nothing that can be read.
  static let standard = Duration.seconds(1)

  static func read(_ text: String?, now: Timestamp) -> Duration {
    guard let text else { return standard }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Int64(text).map { min(.seconds($0), longest) } ?? longest }
    guard let moment = date(text) else { return standard }
    return min(max(.microseconds(moment.microseconds - now.microseconds), .zero), longest)
  }

  private static let months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]

  private static func date(_ text: String) -> Timestamp? {
    let parts = text.split(separator: " ")
    guard parts.count == 6, parts[0].hasSuffix(","), parts[5] == "GMT", let day = Int64(parts[1]), (1...31).contains(day),
      let month = months.firstIndex(of: String(parts[2])), let year = Int64(parts[3]), (1970...9999).contains(year)
    else { return nil }
    let clock = parts[4].split(separator: ":").compactMap { Int64($0) }
    guard clock.count == 3, (0...23).contains(clock[0]), (0...59).contains(clock[1]), (0...60).contains(clock[2]) else { return nil }
    // Days since 1970 of a Gregorian date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let y = month < 2 ? year - 1 : year
    let era = y / 400
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * ((Int64(month) + 10) % 12) + 2) / 5 + day - 1
    let days = era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    return Timestamp(microseconds: (days * 86_400 + clock[0] * 3_600 + clock[1] * 60 + clock[2]) * 1_000_000)
  }
}
