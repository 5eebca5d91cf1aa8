import Testing

@testable import order_worker

@Suite struct TraceRulesTests {
  @Test(
    arguments: [
      (nil, []), ("a=b", ["a: b"]), ("authorization=Bearer x=y, team=shop", ["authorization: Bearer x=y", "team: shop"]),
      ("authorization=Basic%20YQ%3D%3D", ["authorization: Basic YQ=="]),
    ] as [(String?, [String])])
  func headersAreReadAsOpenTelemetryWritesThem(text: String?, headers: [String]) throws {
    #expect(try TraceRules.headers(text).map { "\($0.name): \($0.value)" } == headers)
  }

  @Test(arguments: ["a", "=b", "a=b%2", "a=b%zz", "a=b%0D%0Ac", "a:b=c", "a=\u{e9}"])
  func whatIsNoHeaderIsRefused(text: String) {
    #expect(throws: ConfigurationFaults.self) { try TraceRules.headers(text) }
  }
}
