import Domain
import Testing

/// What a text is as an amount: minor units, or the fault.
private enum Expected: Sendable {
  case units(Int64)
  case fault(MoneyFault)
}

private func zeros(_ count: Int) -> String { String(repeating: "0", count: count) }
private func nines(_ count: Int) -> String { String(repeating: "9", count: count) }

@Suite struct MoneyParsingTests {
  private static let numbers: [(String, String, Expected)] = [
    ("29.99", "USD", .units(2_999)), ("29.990", "USD", .units(2_999)), ("2999e-2", "USD", .units(2_999)), ("0.2999E2", "USD", .units(2_999)),
    ("0.2999E+2", "USD", .units(2_999)), ("29", "USD", .units(2_900)), ("0", "USD", .units(0)), ("-0", "USD", .units(0)), ("-0.00", "USD", .units(0)),
    ("-0e5", "USD", .units(0)), ("0e999", "USD", .units(0)), ("0e-999", "USD", .units(0)), ("0.000e\(zeros(300))9", "USD", .units(0)),
    ("1e0", "USD", .units(100)), ("1e\(zeros(300))2", "USD", .units(10_000)), ("100e-2", "USD", .units(100)), ("1\(zeros(400))e-400", "USD", .units(100)),
    ("0.\(zeros(399))1e400", "USD", .units(100)), ("10.1\(zeros(500))", "USD", .units(1_010)),
    ("29.999", "USD", .fault(.tooManyDecimals)), ("0.001", "USD", .fault(.tooManyDecimals)), ("1e-3", "USD", .fault(.tooManyDecimals)),
    ("1e-999", "USD", .fault(.tooManyDecimals)), ("1e-\(nines(400))", "USD", .fault(.tooManyDecimals)),
    ("1.\(zeros(500))1", "USD", .fault(.tooManyDecimals)), ("12345678901234567890123.456", "USD", .fault(.tooManyDecimals)),
    ("1e999", "USD", .fault(.overflow)), ("1e\(nines(400))", "USD", .fault(.overflow)), ("123456789012345678901234567890", "USD", .fault(.overflow)),
    ("-1e999", "USD", .fault(.negative)), ("-1", "USD", .fault(.negative)), ("-0.01", "USD", .fault(.negative)), ("-0.001", "USD", .fault(.negative)),
    ("92233720368547758.07", "USD", .units(.max)), ("9223372036854775807e-2", "USD", .units(.max)), ("92233720368547758.070", "USD", .units(.max)),
    ("92233720368547758.08", "USD", .fault(.overflow)), ("184467440737095516.15", "USD", .fault(.overflow)),
    ("184467440737095516.16", "USD", .fault(.overflow)), ("184467440737095516.17", "USD", .fault(.overflow)),
    ("9223372036854775807", "JPY", .units(.max)), ("9223372036854775808", "JPY", .fault(.overflow)), ("1.0", "JPY", .units(1)),
    ("1.5", "JPY", .fault(.tooManyDecimals)), ("15e-1", "JPY", .fault(.tooManyDecimals)), ("9223372036854775.807", "KWD", .units(.max)),
    ("9223372036854775.808", "KWD", .fault(.overflow)), ("3.01", "KWD", .units(3_010)), ("3.0101", "KWD", .fault(.tooManyDecimals)),
    ("1.2345", "CLF", .units(12_345)), ("1.23456", "CLF", .fault(.tooManyDecimals)), ("922337203685477.5807", "UYW", .units(.max)),
    ("18446744073709551615", "JPY", .fault(.overflow)), ("18446744073709551616", "JPY", .fault(.overflow)),
    ("1e18", "JPY", .units(1_000_000_000_000_000_000)), ("1e19", "JPY", .fault(.overflow)), ("1e20", "JPY", .fault(.overflow)),
    ("10000000000000000001", "JPY", .fault(.overflow)), ("1000000000000000001", "JPY", .units(1_000_000_000_000_000_001)),
    ("100000000000000000000001", "JPY", .fault(.overflow)),
  ]

  private static let noNumbers = [
    "", "-", "+1", "01", "-01", "00", "1.", ".5", "-.5", "1e", "1e+", "1E-", "1e1.5", "1.e2", "1.2.3", "NaN", "Infinity", "-Infinity", "1 ", " 1", "1_0",
    "0x10", "1,5", "--1", "1-", "٣", "１", "1\u{0}", "null", "\"1\"", "e5", "1ee5",
  ]

  @Test(arguments: numbers)
  fileprivate func aJSONNumberIsJudgedByValue(text: String, currency: String, expected: Expected) throws {
    try check(text, .jsonNumber, currency, expected)
  }

  @Test(arguments: noNumbers)
  func whatIsNoJSONNumberIsAFormatFault(text: String) throws {
    try check(text, .jsonNumber, "USD", .fault(.format))
  }

  private static let strings: [(String, String, Expected)] = [
    ("29.99", "USD", .units(2_999)), ("0029.9900", "USD", .units(2_999)), ("0", "USD", .units(0)), ("000000000000000", "USD", .units(0)),
    ("999999999999999", "USD", .units(99_999_999_999_999_900)), ("999999999999999.9999", "CLF", .fault(.overflow)),
    ("922337203685477.5807", "CLF", .units(.max)), ("922337203685477.5808", "CLF", .fault(.overflow)),
    ("1.\(zeros(500))", "JPY", .units(1)), ("29.999", "USD", .fault(.tooManyDecimals)), ("1.\(zeros(500))1", "USD", .fault(.tooManyDecimals)),
    ("1000000000000000", "USD", .fault(.format)), ("0000000000000001", "USD", .fault(.format)), ("", "USD", .fault(.format)), ("-1", "USD", .fault(.format)),
    ("-0", "USD", .fault(.format)), ("+1", "USD", .fault(.format)), ("1e2", "USD", .fault(.format)), ("1.", "USD", .fault(.format)),
    (".5", "USD", .fault(.format)), (" 1", "USD", .fault(.format)), ("1 ", "USD", .fault(.format)), ("1\n", "USD", .fault(.format)),
    ("1.2.3", "USD", .fault(.format)), ("1,5", "USD", .fault(.format)), ("٣", "USD", .fault(.format)), ("NaN", "USD", .fault(.format)),
  ]

  @Test(arguments: strings)
  fileprivate func aDecimalStringHasOneForm(text: String, currency: String, expected: Expected) throws {
    try check(text, .decimalString, currency, expected)
  }

  private func check(_ text: String, _ form: DecimalForm, _ code: String, _ expected: Expected) throws {
    let currency = try #require(Currency(code))
    switch expected {
    case .units(let units):
      #expect(try Money(parsing: ArraySlice(text.utf8), as: form, currency: currency) == Money(minorUnits: units, currency: currency))
    case .fault(let fault):
      #expect(throws: fault) { try Money(parsing: ArraySlice(text.utf8), as: form, currency: currency) }
    }
  }

  private static let wholeNumbers: [(String, Int64)] = [
    ("2", 2), ("2.0", 2), ("2e0", 2), ("20e-1", 2), ("0.2e1", 2), ("-0", 0), ("0e999", 0), ("1000000", 1_000_000), ("1e6", 1_000_000), ("-2", -2),
    ("9223372036854775807", Int64.max), ("-9223372036854775808", Int64.min), ("9223372036854775807.0", Int64.max), ("1\(zeros(400))e-400", 1),
  ]

  @Test(arguments: wholeNumbers)
  func aWholeNumberIsReadByValue(text: String, expected: Int64) throws {
    #expect(try WholeNumber.parse(ArraySlice(text.utf8)) == expected)
  }

  @Test(arguments: [
    ("2.5", WholeNumber.Fault.notWhole), ("1e-999", .notWhole), ("-25e-1", .notWhole), ("12345678901234567890123.5", .notWhole), ("1e999", .range),
    ("-1e999", .range), ("9223372036854775808", .range), ("-9223372036854775809", .range), ("18446744073709551616", .range), ("1e19", .range),
    ("", .format), ("02", .format), ("2.", .format), ("true", .format),
  ])
  func whatIsNoWholeNumberSaysWhy(text: String, fault: WholeNumber.Fault) {
    #expect(throws: fault) { try WholeNumber.parse(ArraySlice(text.utf8)) }
  }

  @Test func aSliceIsReadFromItsOwnStartToItsOwnEnd() throws {
    let body = Array("[129.995,-7]".utf8)
    #expect(try Money(parsing: body[2..<7], currency: Sample.usd).minorUnits == 2_999)
    #expect(try WholeNumber.parse(body[9..<11]) == -7)
  }
}
