import ClientRuntime
import HTTPPaymentAdapter
import RedisAdapter
import Testing

@testable import order_worker

@Suite struct DoctorJudgeTests {
  private static func verdicts(_ judge: (inout FindingList) -> Void) -> [String] {
    var list = FindingList(.clocks)
    judge(&list)
    return list.all.map(\.verdict.rawValue)
  }

  @Test(arguments: [
    (0, 0, "ok"), (900, 0, "ok"), (1_001, 0, "warning"), (-1_001, 0, "warning"), (4_000, 0, "warning"), (5_001, 0, "problem"), (-60_000, 0, "problem"),
    // Of a slow round trip nobody knows which way took how long.
    (1_500, 600, "ok"), (6_000, 2_000, "warning"), (9_000, 2_000, "problem"),
  ])
  func aClockIsJudgedByWhatIsCertain(skew: Int, doubt: Int, verdict: String) {
    let clock = ClockReading(skew: .milliseconds(skew), doubt: .milliseconds(doubt))
    #expect(Self.verdicts { ClockJudge.judge(clock, into: &$0) } == [verdict])
  }

  @Test func whatIsFoundGoodSaysTheMostThatItMayBeWrong() {
    var list = FindingList(.clocks)
    ClockJudge.judge(ClockReading(skew: .milliseconds(-1_400), doubt: .milliseconds(500)), into: &list)
    #expect(list.all.map(\.found) == ["within 1900 ms of this machine's"])
  }

  @Test func aReadingTakesTheRoundTripIntoAccount() {
    let reading = ClockReading(server: .seconds(110), before: .seconds(100), after: .seconds(102))
    #expect(reading == ClockReading(skew: .seconds(9), doubt: .seconds(1)))
    #expect(reading.certain == .seconds(8))
    // What is told in whole seconds is half a second late, more or less.
    let coarse = ClockReading(server: .seconds(100), before: .milliseconds(100_700), after: .milliseconds(100_700), resolution: .seconds(1))
    #expect(coarse.certain == .zero)
  }

  @Test func serversThatAreNearThisMachineCanBeFarFromEachOther() {
    func clock(_ milliseconds: Int) -> ClockReading { ClockReading(skew: .milliseconds(milliseconds), doubt: .milliseconds(10)) }
    #expect(ClockJudge.between([("a", clock(800)), ("b", clock(-800))]).map(\.verdict) == [.warning])
    #expect(ClockJudge.between([("a", clock(300)), ("b", clock(-300))]) == [])
    // Each is said already.
    #expect(ClockJudge.between([("a", clock(9_000)), ("b", clock(0))]) == [])
    #expect(ClockJudge.between([("a", clock(0))]) == [])
  }

  @Test(
    arguments: [
      (-1, "problem", "ran out"), (0, "problem", "less than a day"), (86_400, "problem", "1 day,"), (7 * 86_400 - 1, "problem", "7 days"),
      (7 * 86_400, "warning", "7 days"), (30 * 86_400 - 1, "warning", "30 days"), (30 * 86_400, "ok", "good until"),
    ] as [(Int64, String, String)])
  func aCertificateIsJudgedByTheTimeLeft(left: Int64, verdict: String, words: String) {
    var list = FindingList(.postgres)
    CertificateJudge.judge(CertificateEnd(name: "db1", seconds: 1_000_000_000 + left), now: 1_000_000_000, mend: "renew", into: &list)
    #expect(list.all.map(\.verdict.rawValue) == [verdict])
    #expect(list.all.first?.found.contains(words) == true, "\(list.all)")
  }

  @Test(
    arguments: [
      (0, "1970-01-01"), (951_782_399, "2000-02-28"), (951_782_400, "2000-02-29"), (1_709_251_200, "2024-03-01"), (4_102_444_799, "2099-12-31"),
      (-1, "1969-12-31"),
    ] as [(Int64, String)])
  func daysAreThoseOfTheCalendar(seconds: Int64, date: String) { #expect(CertificateJudge.isoDate(seconds) == date) }

  @Test(
    arguments: [
      ("Thu, 01 Jan 1970 00:00:00 GMT", 0), ("Tue, 29 Feb 2000 00:00:01 GMT", 951_782_401), ("Thu, 26 Nov 2026 18:12:23 GMT", 1_795_716_743),
      ("Thu, 26 Nov 99999999999999999 18:12:23 GMT", nil), ("Thu, 26 Nov 2026 99999999999999999:12:23 GMT", nil),
      ("Thu, 26 Nov 2026 24:12:23 GMT", nil), ("Thu, 26 Nov 2026 18:60:23 GMT", nil), ("Thu, 26 Nov 2026 18:12:61 GMT", nil),
      ("Thu, 26 Nov 1969 18:12:23 GMT", nil), ("Thu, 32 Nov 2026 18:12:23 GMT", nil), ("Thu, 0 Nov 2026 18:12:23 GMT", nil),
      ("Thursday, 26-Nov-26 18:12:23 GMT", nil), ("Thu, 26 Nox 2026 18:12:23 GMT", nil), ("", nil),
    ] as [(String, Int64?)])
  func datesOfHTTPAreRead(text: String, seconds: Int64?) { #expect(HTTPDate.seconds(text) == seconds) }

  private static let redis: [(@Sendable (inout RedisFacts) -> Void, [String])] = [
    ({ _ in }, []), ({ $0.maxmemory = 0 }, ["warning memory"]), ({ $0.evictionPolicy = "noeviction" }, ["problem memory"]),
    ({ ($0.maxmemory, $0.evictionPolicy) = (0, "noeviction") }, ["warning memory"]), ({ $0.evictionPolicy = "volatile-ttl" }, []),
    ({ ($0.maxmemory, $0.evictionPolicy) = (nil, nil) }, ["not checked memory"]), ({ $0.isReplica = true }, ["problem writes"]),
    ({ $0.refused = ["UNLINK: NOPERM"] }, ["problem writes"]), ({ $0.latency = .milliseconds(10) }, ["warning latency"]),
    ({ $0.version = "4.0.9" }, ["warning version"]),
    ({ $0.clock = ClockReading(skew: .seconds(7), doubt: .zero) }, ["problem clock"]),
  ]

  @Test(arguments: redis.indices) func eachFactOfRedisIsJudgedByItself(index: Int) {
    var facts = RedisFacts()
    (facts.version, facts.maxmemory, facts.evictionPolicy) = ("7.0.15", 1 << 28, "allkeys-lru")
    Self.redis[index].0(&facts)
    let found = RedisJudge.judge(.facts(facts), place: "cache:6379").filter { $0.verdict != .ok }
    #expect(found.map { "\($0.verdict.rawValue) \($0.check)" } == Self.redis[index].1)
  }

  @Test(arguments: [(404, "ok"), (200, "ok"), (401, "problem"), (403, "problem"), (503, "warning"), (429, "warning"), (500, "problem"), (301, "problem")])
  func aProviderIsJudgedByItsAnswer(status: Int, verdict: String) {
    let found = PaymentJudge.judge(.answered(status: status, date: nil), before: .zero, after: .zero, place: "http://pay")
    #expect(found.map(\.verdict.rawValue) == [verdict])
  }

  @Test(arguments: [(0o600, "ok"), (0o440, "ok"), (0o644, "warning"), (0o602, "warning"), (nil, "problem")] as [(UInt32?, String)])
  func aSecretIsJudgedByWhoMayReadIt(mode: UInt32?, verdict: String) {
    #expect(SecretFile.judge([SecretFile(name: "X", path: "/x", mode: mode)]).map(\.verdict.rawValue) == [verdict])
  }

  @Test(arguments: [
    (["ORDERS_AUTH": "off", "ORDERS_AMQP_URL": "amqp://w:p@mq1/"], ["rights"]),
    (["ORDERS_AUTH": "off", "ORDERS_AMQP_URL": "amqp://guest:guest@mq1/"], ["rights", "rights"]),
    (["ORDERS_AUTH": "off"], []), (["ORDERS_PREFETCH": "10", "ORDERS_BATCH_MAX": "20"], ["prefetch"]),
    (["ORDERS_RESERVATION_TTL": "30s"], ["reservation time"]),
    (["ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_DRAIN_TIMEOUT": "10s"], ["drain timeout"]), (["ORDERS_DRAIN_TIMEOUT": "10s"], []),
    (["ORDERS_PAYMENT_GIVE_UP": "1s"], ["payment times"]), (["ORDERS_ENV": "production"], ["payment provider"]),
    (["ORDERS_ENV": "production", "ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_AMQP_URL": "amqp://w:p@mq1/"], ["encryption"]),
    (["ORDERS_PREFETHC": "1"], ["settings"]),
  ])
  func settingsThatAreUnwiseTogetherAreNamed(environment: [String: String], checks: [String]) throws {
    let found = ConfigurationJudge.judge(try ConfigurationLoader.load(environment: environment, flags: [])).filter { $0.verdict != .ok }
    #expect(found.map(\.check) == checks)
    #expect(found.allSatisfy { $0.verdict == .warning && $0.mend != nil })
  }
}
