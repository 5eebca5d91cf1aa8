/// A moment in UTC, in microseconds since 1970, the resolution of PostgreSQL.
package struct Timestamp: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let microseconds: Int64
  package init(microseconds: Int64) { self.microseconds = microseconds }

  package static func < (a: Timestamp, b: Timestamp) -> Bool { a.microseconds < b.microseconds }
  package func duration(to later: Timestamp) -> Duration { .microseconds(later.microseconds - microseconds) }

  package static func + (a: Timestamp, b: Duration) -> Timestamp {
    let (seconds, attoseconds) = b.components
    return Timestamp(microseconds: a.microseconds + seconds * 1_000_000 + attoseconds / 1_000_000_000_000)
  }

  /// The first and the last moment that RFC 3339 can write.
  private static let writable: ClosedRange<Int64> = -62_167_219_200_000_000...253_402_300_799_999_999

  /// RFC 3339 with six decimals and `Z`, 27 ASCII bytes; what is before year 0000 or after 9999 is written as the first or last moment of these.
  package func appendText(to bytes: inout [UInt8]) {
    let microseconds = min(max(self.microseconds, Self.writable.lowerBound), Self.writable.upperBound)
    let seconds = microseconds.floorDivided(by: 1_000_000)
    let fraction = microseconds - seconds * 1_000_000
    let days = seconds.floorDivided(by: 86_400)
    let second = seconds - days * 86_400
    let (year, month, day) = Self.civil(days)
    func put(_ value: Int64, _ digits: Int) {
      var divisor: Int64 = 1
      for _ in 1..<digits { divisor *= 10 }
      for _ in 0..<digits {
        bytes.append(0x30 + UInt8(value / divisor % 10))
        divisor /= 10
      }
    }
    put(year, 4)
    bytes.append(0x2D)
    put(month, 2)
    bytes.append(0x2D)
    put(day, 2)
    bytes.append(0x54)
    put(second / 3_600, 2)
    bytes.append(0x3A)
    put(second / 60 % 60, 2)
    bytes.append(0x3A)
    put(second % 60, 2)
    bytes.append(0x2E)
    put(fraction, 6)
    bytes.append(0x5A)
  }

  package var description: String {
    var bytes: [UInt8] = []
    appendText(to: &bytes)
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Reads exactly the form that `appendText` writes; nil for anything else.
  package init?(_ text: String) {
    let form = Array("0000-00-00T00:00:00.000000Z".utf8)
    let bytes = Array(text.utf8)
    guard bytes.count == form.count else { return nil }
    for (byte, wanted) in zip(bytes, form) where wanted == 0x30 ? !(0x30...0x39).contains(byte) : byte != wanted { return nil }
    func number(_ range: Range<Int>) -> Int64 { bytes[range].reduce(0) { $0 * 10 + Int64($1 - 0x30) } }
    let (year, month, day) = (number(0..<4), number(5..<7), number(8..<10))
    let days = Self.days(year, month, day)
    // A day that its month does not have comes back as another's.
    guard (1...12).contains(month), Self.civil(days) == (year, month, day), number(11..<13) < 24, number(14..<16) < 60, number(17..<19) < 60 else { return nil }
    let seconds = days * 86_400 + number(11..<13) * 3_600 + number(14..<16) * 60 + number(17..<19)
    microseconds = seconds * 1_000_000 + number(20..<26)
  }

  /// Days from 1970 to a proleptic Gregorian date, from the same source as `civil`.
  private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
    let y = month <= 2 ? year - 1 : year
    let era = y.floorDivided(by: 400)
    let yearOfEra = y - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
  }

  /// Proleptic Gregorian date of a day count since 1970 (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms").
  private static func civil(_ days: Int64) -> (year: Int64, month: Int64, day: Int64) {
    let z = days + 719_468
    let era = z.floorDivided(by: 146_097)
    let dayOfEra = z - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let m = (5 * dayOfYear + 2) / 153
    let month = m < 10 ? m + 3 : m - 9
    return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfYear - (153 * m + 2) / 5 + 1)
  }
}

extension Int64 {
  fileprivate func floorDivided(by divisor: Int64) -> Int64 {
    let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
    return remainder < 0 ? quotient - 1 : quotient
  }
}
