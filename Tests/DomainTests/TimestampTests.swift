import Domain
import Foundation
import Testing

@Suite struct TimestampTests {
  private static let texts: [(Int64, String)] = [
    (0, "1970-01-01T00:00:00.000000Z"), (1, "1970-01-01T00:00:00.000001Z"), (-1, "1969-12-31T23:59:59.999999Z"),
    (951_782_400_000_000, "2000-02-29T00:00:00.000000Z"), (951_868_800_000_000, "2000-03-01T00:00:00.000000Z"),
    (1_709_164_799_999_999, "2024-02-28T23:59:59.999999Z"), (1_709_164_800_000_000, "2024-02-29T00:00:00.000000Z"),
    (4_107_542_399_000_000, "2100-02-28T23:59:59.000000Z"), (4_107_542_400_000_000, "2100-03-01T00:00:00.000000Z"),
    (-2_203_891_200_000_000, "1900-03-01T00:00:00.000000Z"), (253_402_300_799_999_999, "9999-12-31T23:59:59.999999Z"),
    (253_402_300_800_000_000, "9999-12-31T23:59:59.999999Z"), (.max, "9999-12-31T23:59:59.999999Z"),
    (-62_135_596_800_000_000, "0001-01-01T00:00:00.000000Z"), (-62_167_219_200_000_000, "0000-01-01T00:00:00.000000Z"),
    (-62_167_219_200_000_001, "0000-01-01T00:00:00.000000Z"), (.min, "0000-01-01T00:00:00.000000Z"),
  ]

  @Test(arguments: texts)
  func aMomentIsWrittenInRFC3339(microseconds: Int64, text: String) {
    #expect(Timestamp(microseconds: microseconds).description == text)
    var bytes: [UInt8] = [0x22]
    Timestamp(microseconds: microseconds).appendText(to: &bytes)
    #expect(bytes == Array("\"\(text)".utf8))
  }

  /// Every day from 1890 to 2110, counted by hand.
  @Test func everyDayHasItsDate() {
    var day = -29_219
    for year in 1890...2110 {
      let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
      for (month, length) in [31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31].enumerated() {
        for date in 1...length {
          let text = Timestamp(microseconds: Int64(day) * 86_400_000_000).description
          #expect(text == String(format: "%04d-%02d-%02dT00:00:00.000000Z", year, month + 1, date))
          day += 1
        }
      }
    }
  }

  @Test func aDurationMovesIt() {
    let start = Timestamp(microseconds: 1_000_000)
    #expect(start + .milliseconds(1_500) == Timestamp(microseconds: 2_500_000))
    #expect(start + .seconds(-2) == Timestamp(microseconds: -1_000_000))
    #expect(start + .microseconds(-1) == Timestamp(microseconds: 999_999))
    #expect(start + .nanoseconds(999) == start)
    #expect(start < start + .microseconds(1))
  }
}
