import ArgumentParser
import Testing

@testable import order_worker

@Suite struct SettingTextTests {
  @Test(arguments: [
    ("250ms", Duration.milliseconds(250)), ("10s", .seconds(10)), ("15m", .seconds(900)), ("2h", .seconds(7_200)), ("0s", .zero),
  ])
  func aDurationIsANumberWithItsUnit(text: String, expected: Duration) {
    #expect(DurationText.parse(text) == expected)
  }

  @Test(arguments: ["", "10", "s", "1.5s", "-1s", "10 s", "10S", "1h30m", "9999999999s", "٣s"])
  func anythingElseIsNoDuration(text: String) {
    #expect(DurationText.parse(text) == nil)
  }

  @Test(arguments: ["250ms", "10s", "15m", "2h", "1500ms", "0ms"])
  func aDurationIsWrittenInItsLargestUnit(text: String) throws {
    #expect(DurationText.format(try #require(DurationText.parse(text))) == text)
  }

  @Test(arguments: [
    ("amqp://u:p@h/v", "amqp://u:***@h/v"), ("amqp://u@h/v", "amqp://u@h/v"), ("amqp://h:5672/v", "amqp://h:5672/v"),
    ("redis://:p@h", "redis://:***@h"), ("amqp://u:p/w@ord@h:1,h2:2/v", "amqp://u:***@h:1,h2:2/v"),
    ("postgres://h/d?user=u&password=p&x=1", "postgres://h/d?user=u&password=***&x=1"), ("host=h password = p port=1", "host=h password = *** port=1"),
    (#"password='a b\'c' host=h"#, "password=*** host=h"), ("sslpassword=p", "sslpassword=***"),
  ])
  func onlyThePasswordOfAURLIsHidden(text: String, expected: String) {
    #expect(SettingMasking.password.mask(text) == expected)
  }

  @Test(arguments: [
    ("A=b", "b"), ("A = b ", "b"), ("A=", ""), ("A=b # c", "b"), ("A=b#c", "b#c"), ("A= # c", ""), ("A='b # c'", "b # c"),
    (#"A="b \" c" # d"#, #"b " c"#), (#"A='b\'"#, #"b\"#), ("A=b=c", "b=c"), ("A=b\r", "b"),
  ])
  func aLineOfTheFileIsReadAsDocumented(line: String, value: String) {
    let (lines, faults) = ConfigurationFile.parse("# first\n\n" + line + "\n")
    #expect(faults.isEmpty)
    #expect(lines == [.init(number: 3, name: "A", value: value)])
  }

  @Test func aLineWithWindowsEndingKeepsItsNumber() {
    let (lines, _) = ConfigurationFile.parse("#\r\nA=b\r\nC=d")
    #expect(lines == [.init(number: 2, name: "A", value: "b"), .init(number: 3, name: "C", value: "d")])
  }

  @Test(arguments: [
    (["run", "--prefetch", "5"], ["run", "--set", "ORDERS_PREFETCH=5"]), (["run", "--prefetch=5"], ["run", "--set", "ORDERS_PREFETCH=5"]),
    (["run", "--amqp-url-file", "f"], ["run", "--set", "ORDERS_AMQP_URL_FILE=f"]),
    (["send", "t", "--", "--prefetch", "5"], ["send", "t", "--", "--prefetch", "5"]),
    (["run", "--json"], ["run", "--json"]),
  ])
  func everySettingHasAFlag(given: [String], expected: [String]) throws {
    #expect(try SettingFlags.expand(given) == expected)
  }

  @Test func aFlagWithoutItsValueIsNamed() {
    #expect(throws: MissingFlagValue(flag: "--prefetch")) { try SettingFlags.expand(["run", "--prefetch"]) }
  }

  @Test(arguments: [("kitten", "sitting", 3), ("", "abc", 3), ("a", "a", 0)])
  func theDistanceOfTwoWordsIsTheFewestChanges(a: String, b: String, expected: Int) {
    #expect(EditDistance.between(a, b) == expected)
  }
}
