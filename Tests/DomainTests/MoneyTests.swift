import Domain
import TestSupport
import Testing

@Suite struct MoneyTests {
  private static let decimals: [(Int, String)] = [
    (0, "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"),
    (3, "BHD IQD JOD KWD LYD OMR TND"),
    (4, "CLF UYW"),
    (2, "USD EUR GBP CHF AUD CAD CNY INR MXN BRL ZAR TRY PLN SEK NOK DKK CZK HUF MGA MRU TWD IDR AFN ZMW XCG XCD"),
  ]

  @Test(arguments: decimals)
  func currenciesHaveTheDecimalsOfISO4217(decimals: Int, codes: String) {
    for code in codes.split(separator: " ") { #expect(Currency(String(code))?.decimals == decimals, "\(code)") }
  }

  @Test func noOtherCurrencyHasAnythingButTwoDecimals() {
    let letters = (UInt8(ascii: "A")...UInt8(ascii: "Z")).map { String(decoding: [$0], as: UTF8.self) }
    let exceptional = Set(Self.decimals.filter { $0.0 != 2 }.flatMap { $0.1.split(separator: " ").map(String.init) })
    var known = 0
    for a in letters {
      for b in letters {
        for c in letters {
          guard let currency = Currency(a + b + c) else { continue }
          known += 1
          #expect(currency.decimals == 2 || exceptional.contains(currency.code), "\(currency)")
        }
      }
    }
    #expect((155...175).contains(known))
  }

  @Test(arguments: ["", "US", "USDX", "usd", "Usd", "XAU", "XDR", "XXX", "XTS", "ZZZ", "DEM", "U\u{301}SD", "USD "])
  func whatIsNoCurrencyIsRefused(code: String) {
    #expect(Currency(code) == nil)
  }

  private static let texts: [(Int64, String, String)] = [
    (0, "USD", "0.00"), (1, "USD", "0.01"), (10, "USD", "0.10"), (99, "USD", "0.99"), (100, "USD", "1.00"), (5_998, "USD", "59.98"),
    (.max, "USD", "92233720368547758.07"), (0, "JPY", "0"), (7, "JPY", "7"), (1_200, "JPY", "1200"), (.max, "JPY", "9223372036854775807"),
    (0, "KWD", "0.000"), (3_010, "KWD", "3.010"), (12, "CLF", "0.0012"), (.max, "UYW", "922337203685477.5807"), (-5, "USD", "-0.05"),
    (.min, "USD", "-92233720368547758.08"),
  ]

  @Test(arguments: texts)
  func anAmountIsWrittenWithAllItsDecimals(units: Int64, code: String, text: String) throws {
    let money = Money(minorUnits: units, currency: try #require(Currency(code)))
    var bytes: [UInt8] = Array("x".utf8)
    money.appendText(to: &bytes)
    #expect(String(decoding: bytes, as: UTF8.self) == "x" + text)
    #expect("\(money)" == "\(text) \(code)")
  }

  /// The same amount in many spellings reads as itself, in either form where the form allows it.
  @Test func whatIsWrittenReadsAsTheSame() throws {
    var random = SeededGenerator.forTest("money")
    for code in ["JPY", "USD", "KWD", "CLF"] {
      let currency = try #require(Currency(code))
      for _ in 0..<2_000 {
        let money = Money(minorUnits: Int64.random(in: 0...Int64.max >> Int64.random(in: 0...62, using: &random), using: &random), currency: currency)
        var text: [UInt8] = []
        money.appendText(to: &text)
        #expect(try Money(parsing: text[...], currency: currency) == money)
        let shift = Int.random(in: -30...30, using: &random)
        let zeros = String(repeating: "0", count: money.isZero ? 0 : Int.random(in: 0...30, using: &random))
        let shifted = "\(money.minorUnits)\(zeros)e\(-zeros.count - currency.decimals)"
        #expect(try Money(parsing: ArraySlice(shifted.utf8), currency: currency) == money, "\(shifted)")
        let spelt = spelling(of: money.minorUnits, decimals: currency.decimals, shift: shift)
        #expect(try Money(parsing: ArraySlice(spelt.utf8), currency: currency) == money, "\(spelt)")
        if money.minorUnits > 0 {
          let tooFine = "\(money.minorUnits)\(zeros)1e\(-zeros.count - 1 - currency.decimals)"
          #expect(throws: MoneyFault.tooManyDecimals) { try Money(parsing: ArraySlice(tooFine.utf8), currency: currency) }
        }
      }
    }
  }

  /// `units` × 10^-`decimals` with the point moved by `shift`, and an exponent that moves it back.
  private func spelling(of units: Int64, decimals: Int, shift: Int) -> String {
    var digits = String(units)
    let places = decimals + shift
    if places <= 0 {
      return units == 0 ? "0e\(-shift)" : digits + String(repeating: "0", count: -places) + "e\(shift)"
    }
    digits = String(repeating: "0", count: max(0, places + 1 - digits.count)) + digits
    return "\(digits.dropLast(places)).\(digits.suffix(places))e\(shift)"
  }

  @Test func sumsAndProductsStopAtTheEnd() {
    let most = Money(minorUnits: .max, currency: Sample.usd)
    let one = Money(minorUnits: 1, currency: Sample.usd)
    #expect(most.adding(one) == nil)
    #expect(most.adding(.zero(Sample.usd)) == most)
    #expect(most.times(Quantity(2)!) == nil)
    #expect(most.times(Quantity(1)!) == most)
    #expect(one.times(Quantity(1_000_000)!)?.minorUnits == 1_000_000)
  }

  @Test(arguments: [Int64.min, -1, 0, 1, 2, 999_999, 1_000_000, 1_000_001, .max])
  func aQuantityIsOneToAMillion(value: Int64) {
    #expect(Quantity(value)?.value == ((1...1_000_000).contains(value) ? value : nil))
  }
}
