import Application
import Domain
import Testing

@testable import HTTPPaymentAdapter

@Suite struct ProviderResponseTests {
  private static func kind(_ status: Int, _ body: String?, retryAfter: String? = nil, target: String = "/authorizations") -> String {
    ProviderResponse(status: status, retryAfter: retryAfter, body: body.map { Array($0.utf8) })
      .answer(to: PaymentCall(key: "k", target: target, body: []), now: Timestamp(microseconds: 784_111_777_000_000)).kind
  }

  @Test(arguments: [
    (201, #"{"id":"a","status":"authorized"}"#, "known succeeded"), (200, #"{"id":"a","status":"authorized","more":[1]}"#, "known succeeded"),
    (202, #"{"id":"a","status":"authorized"}"#, "unknown"), (204, "", "unknown"), (201, "", "unknown"), (201, "{", "unknown"), (201, "[]", "unknown"),
    (201, #"{"status":"authorized"}"#, "unknown"), (201, #"{"id":7,"status":"authorized"}"#, "unknown"), (201, #"{"id":"","status":"authorized"}"#, "unknown"),
    (201, #"{"id":"a","status":"pending"}"#, "unknown"), (201, #"{"id":"a\u0001","status":"authorized"}"#, "unknown"),
    (402, #"{"code":"card_declined"}"#, "known declined card_declined"), (402, "", "known declined -"), (402, "<html>", "known declined -"),
    (402, #"{"code":"4111 1111 1111 1111"}"#, "known declined -"), (402, #"{"code":"\#(String(repeating: "x", count: 65))"}"#, "known declined -"),
    (409, "", "unknown"), (429, "", "no effect 1.0 seconds"), (503, "", "no effect 1.0 seconds"), (500, "", "unknown"), (502, "", "unknown"),
    (504, "", "unknown"), (400, "", "no effect -"), (401, "", "no effect -"), (403, "", "no effect -"), (404, "", "no effect -"), (422, "", "no effect -"),
    (301, "", "no effect -"), (307, "", "no effect -"), (101, "", "unknown"), (600, "", "unknown"),
  ])
  func eachAnswerMeansOneThing(status: Int, body: String, kind: String) {
    #expect(Self.kind(status, body) == kind)
  }

  @Test(arguments: [
    ("capture", #"{"id":"a/b","status":"captured"}"#, "known succeeded"), ("void", #"{"id":"a/b","status":"voided"}"#, "known succeeded"),
    ("capture", #"{"id":"a/b","status":"voided"}"#, "unknown"), ("void", #"{"id":"other","status":"voided"}"#, "unknown"),
    ("capture", #"{"id":"a/b","status":"authorized"}"#, "unknown"),
  ])
  func whatIsCapturedOrVoidedIsWhatWasNamed(operation: String, body: String, kind: String) {
    #expect(Self.kind(200, body, target: "/authorizations/a%2Fb/\(operation)") == kind)
  }

  @Test(arguments: ["capture", "void"]) func aStateThatDoesNotAllowItIsKnown(operation: String) {
    #expect(Self.kind(409, "", target: "/authorizations/a/\(operation)") == "known conflict")
  }

  @Test(arguments: [
    (404, #"{"type":"about:blank","status":404,"code":"unknown_key"}"#, "never came"), (404, "{}", "never came"), (404, "", "not told"),
    (404, "404 page not found", "not told"), (404, "<html></html>", "not told"), (404, #""no""#, "not told"),
    (200, #"{"status":402,"code":"card_declined"}"#, "known declined card_declined"),
    (200, #"{"id":"a","status":"authorized"}"#, "known succeeded"), (200, "<html></html>", "unknown"), (503, "", "no effect 1.0 seconds"),
  ])
  func aKeyNeverCameOnlyWhereTheProviderItselfSaysSo(status: Int, body: String, kind: String) {
    let response = ProviderResponse(status: status, retryAfter: nil, body: Array(body.utf8))
    let answer = response.answer(toKeyOf: PaymentCall(key: "k", target: "/authorizations", body: []), now: Timestamp(microseconds: 0))
    #expect(answer.kind == kind)
  }

  @Test func whereTheBodyIsLostOnlyASuccessIsUnknown() {
    #expect(Self.kind(201, nil) == "unknown")
    #expect(Self.kind(402, nil) == "known declined -")
    #expect(Self.kind(503, nil, retryAfter: "2") == "no effect 2.0 seconds")
  }

  // Now is 1994-11-06T08:49:37Z.
  @Test(arguments: [
    ("0", Duration.zero), ("7", .seconds(7)), ("31", .seconds(30)), ("99999999999999999999", .seconds(30)), ("-1", .seconds(1)), ("soon", .seconds(1)),
    ("", .seconds(1)), ("1.5", .seconds(1)), ("Sun, 06 Nov 1994 08:49:49 GMT", .seconds(12)), ("Sun, 06 Nov 1994 08:49:37 GMT", .zero),
    ("Sat, 05 Nov 1994 08:49:37 GMT", .zero), ("Mon, 07 Nov 1994 08:49:37 GMT", .seconds(30)), ("Sun, 06 Nov 1994 08:49:49 CET", .seconds(1)),
    ("Sun, 06 Nix 1994 08:49:49 GMT", .seconds(1)), ("Sunday, 06-Nov-94 08:49:49 GMT", .seconds(1)),
  ])
  func retryAfterIsSecondsOrADateAndBounded(text: String, wait: Duration) {
    #expect(RetryAfter.read(text, now: Timestamp(microseconds: 784_111_777_000_000)) == wait)
  }

  @Test(arguments: [
    ("Thu, 01 Jan 1970 00:00:20 GMT", Int64(0)), ("Tue, 29 Feb 2000 00:00:20 GMT", 951_782_400), ("Wed, 01 Mar 2000 00:00:20 GMT", 951_868_800),
    ("Sat, 01 Jan 2101 00:00:20 GMT", 4_133_980_800),
  ])
  func datesAreReadOverLeapYears(text: String, twentySecondsBefore seconds: Int64) {
    let wait = RetryAfter.read(text, now: Timestamp(microseconds: seconds * 1_000_000))
    #expect(wait == .seconds(20))
  }

  @Test(arguments: [
    ("http://h", "http://h"), ("HTTPS://h:8443/v1/", "https://h:8443/v1"), ("http://[::1]:80", "http://[::1]:80"),
  ])
  func anAddressMayHaveAPortAndAPath(url: String, name: String) throws {
    #expect(try HTTPPaymentEndpoint(url: url, token: nil).name == name)
  }

  @Test(arguments: [
    ("ftp://h", HTTPPaymentEndpointFault.scheme), ("h:80", .scheme), ("http://", .host), ("http://:80", .host), ("http://u:p@h", .credentials),
    ("http://h?x=1", .query), ("http://h/a#b", .query),
  ])
  func anAddressThatCannotBeUsedIsRefused(url: String, fault: HTTPPaymentEndpointFault) {
    #expect(throws: fault) { try HTTPPaymentEndpoint(url: url, token: nil) }
    #expect(throws: HTTPPaymentEndpointFault.token) { try HTTPPaymentEndpoint(url: "http://h", token: "a b") }
  }
}
