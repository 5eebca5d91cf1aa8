import Foundation
import Testing
import TestSupport

@testable import PaymentSandbox

@Suite struct SandboxDeskTests {
  @Test(arguments: [
    ("pm_ok", "201 authorized", "201 authorized", 1), ("tok_visa", "201 authorized", "201 authorized", 1),
    ("pm_declined", "402 card_declined", "402 card_declined", 1), ("pm_declined_funds", "402 insufficient_funds", "402 insufficient_funds", 1),
    ("pm_unavailable", "503 unavailable", "503 unavailable", 0), ("pm_timeout", "never", "201 authorized", 1), ("pm_reset", "cut", "201 authorized", 1),
    ("pm_error", "500 internal_error", "201 authorized", 1), ("pm_slow", "5s 201 authorized", "5s 201 authorized", 1),
    ("pm_capture_declined", "201 authorized", "201 authorized", 1),
  ])
  func thePaymentMethodDecidesAndTheKeyAskedAgainIsAnswered(method: String, first: String, again: String, effects: Int) throws {
    let sandbox = try SandboxFixture()
    #expect(sandbox.authorize(method) == first)
    #expect(sandbox.authorize(method) == again)
    let ledger = try sandbox.ledger()
    #expect(ledger.count == effects)
    #expect(ledger.allSatisfy { $0["result"] == (again.hasPrefix("402") ? "declined" : "ok") && $0["operation"] == "authorize" })
  }

  @Test(arguments: [
    (["capture"], ["200 captured"]), (["void"], ["200 voided"]), (["capture", "capture"], ["200 captured", "409 wrong_state"]),
    (["capture", "void"], ["200 captured", "409 wrong_state"]), (["void", "capture"], ["200 voided", "409 wrong_state"]),
    (["void", "void"], ["200 voided", "409 wrong_state"]), (["refund"], ["409 wrong_state"]),
    (["capture", "refund", "refund"], ["200 captured", "200 refunded", "409 wrong_state"]), (["void", "refund"], ["200 voided", "409 wrong_state"]),
  ])
  func whatTheStateDoesNotAllowIs409(operations: [String], answers: [String]) throws {
    let sandbox = try SandboxFixture()
    sandbox.authorize()
    let id = try sandbox.authorization()
    for (number, operation) in operations.enumerated() {
      let body = operation == "void" ? "{}" : #"{"amount":"59.98"}"#
      #expect(sandbox.post("/authorizations/\(id)/\(operation)", body, key: "k\(number)") == answers[number])
      #expect(sandbox.post("/authorizations/\(id)/\(operation)", body, key: "k\(number)") == answers[number])
    }
    let done = zip(operations, answers).filter { $0.1.hasPrefix("200") }.map(\.0)
    #expect(try sandbox.ledger().map { $0["operation"] } == ["authorize"] + done)
  }

  @Test func aRefundInPartsAddsUp() throws {
    let sandbox = try SandboxFixture()
    sandbox.authorize()
    let id = try sandbox.authorization()
    #expect(sandbox.post("/authorizations/\(id)/capture", #"{"amount":"50.00"}"#, key: "1") == "200 captured")
    #expect(sandbox.post("/authorizations/\(id)/refund", #"{"amount":"20"}"#, key: "2") == "200 partially_refunded")
    #expect(sandbox.post("/authorizations/\(id)/refund", #"{"amount":"30.01"}"#, key: "3") == "400 amount_too_large")
    #expect(sandbox.post("/authorizations/\(id)/refund", #"{"amount":"30.00"}"#, key: "4") == "200 refunded")
  }

  @Test func aDeclinedCaptureLeavesTheAuthorisationToBeVoided() throws {
    let sandbox = try SandboxFixture()
    sandbox.authorize("pm_capture_declined")
    let id = try sandbox.authorization()
    for _ in 0..<2 { #expect(sandbox.post("/authorizations/\(id)/capture", #"{"amount":"59.98"}"#, key: "c") == "402 card_declined") }
    #expect(sandbox.post("/authorizations/\(id)/void", "{}", key: "v") == "200 voided")
    #expect(try sandbox.ledger().map { $0["result"] } == ["ok", "declined", "ok"])
  }

  @Test func oneKeyIsOneRequest() throws {
    let sandbox = try SandboxFixture()
    sandbox.authorize()
    let id = try sandbox.authorization()
    #expect(sandbox.authorize(amount: "59.99") == "422 key_reused")
    #expect(sandbox.authorize("pm_other") == "422 key_reused")
    #expect(sandbox.post("/authorizations/\(id)/void", "{}", key: "k") == "422 key_reused")
    #expect(sandbox.authorize() == "201 authorized")
    #expect(try sandbox.ledger().count == 1)
  }

  @Test(arguments: [
    (#"{}"#, "400 invalid_request"), ("", "400 invalid_request"), ("[", "400 invalid_request"), ("[]", "400 invalid_request"),
    (SandboxFixture.authorization(amount: "0.00"), "400 invalid_amount"), (SandboxFixture.authorization(amount: "-1"), "400 invalid_amount"),
    (SandboxFixture.authorization(amount: "1.999"), "400 invalid_amount"), (SandboxFixture.authorization(amount: "1e2"), "400 invalid_amount"),
    (SandboxFixture.authorization(amount: ""), "400 invalid_amount"), (SandboxFixture.authorization(amount: "1.5", currency: "JPY"), "400 invalid_amount"),
    (SandboxFixture.authorization(currency: "usd"), "400 unknown_currency"), (SandboxFixture.authorization(""), "400 invalid_request"),
    (SandboxFixture.authorization(order: ""), "400 invalid_request"),
    (SandboxFixture.authorization().replacing(#""59.98""#, with: "59.98"), "400 invalid_request"),
  ])
  func whatIsWrongIsSaidAndNotRemembered(body: String, answer: String) throws {
    let sandbox = try SandboxFixture()
    #expect(sandbox.post("/authorizations", body) == answer)
    #expect(sandbox.get("/operations/k") == "404 unknown_key")
    #expect(sandbox.authorize() == "201 authorized")
    #expect(try sandbox.ledger().count == 1)
  }

  @Test func capturesAreChecked() throws {
    let sandbox = try SandboxFixture()
    sandbox.authorize(amount: "1500", currency: "JPY")
    let id = try sandbox.authorization()
    for body in ["{}", #"{"amount":1500}"#, #"{"amount":"0"}"#, #"{"amount":"1.5"}"#] {
      #expect(sandbox.post("/authorizations/\(id)/capture", body, key: "c") == "400 invalid_amount")
    }
    #expect(sandbox.post("/authorizations/\(id)/capture", #"{"amount":"1501"}"#, key: "c") == "400 amount_too_large")
    #expect(sandbox.post("/authorizations/\(id)/void", "[]", key: "c") == "400 invalid_request")
    #expect(sandbox.post("/authorizations/nobody/capture", #"{"amount":"1"}"#, key: "c") == "404 unknown_authorization")
    #expect(sandbox.post("/authorizations/\(id)/steal", "{}", key: "c") == "404 no_such_path")
    #expect(sandbox.post("/authorizations/\(id)/capture", #"{"amount":"1500"}"#, key: "c") == "200 captured")
  }

  @Test(arguments: [("USD", "92233720368547758.07"), ("JPY", "9223372036854775807"), ("KWD", "0.001")])
  func anyTotalOfAnOrderCanBeAuthorised(currency: String, amount: String) throws {
    let sandbox = try SandboxFixture()
    #expect(sandbox.authorize(amount: amount, currency: currency) == "201 authorized")
    #expect(try sandbox.ledger().first?["amount"] == amount)
  }

  @Test(arguments: [nil, "", "a\u{7F}", String(repeating: "k", count: 256)])
  func withoutAGoodKeyNothingIsDone(key: String?) throws {
    let sandbox = try SandboxFixture()
    #expect(sandbox.post("/authorizations", SandboxFixture.authorization(), key: key) == "400 invalid_key")
    #expect(try sandbox.ledger().isEmpty)
  }

  @Test func aKeyTellsWhatWasAnswered() throws {
    let sandbox = try SandboxFixture()
    sandbox.authorize("pm_timeout", key: "default/o-1/1")
    sandbox.authorize("pm_declined", key: "default/o-1/2")
    #expect(sandbox.get("/operations/default%2Fo-1%2F1") == "201 authorized")
    #expect(sandbox.get("/operations/default/o-1/2") == "402 card_declined")
    #expect(sandbox.get("/operations/default/o-1/3") == "404 unknown_key")
  }

  @Test func theLedgerTellsEachEffectInOrder() throws {
    let sandbox = try SandboxFixture()
    sandbox.authorize(key: "k1", order: "o-1")
    sandbox.authorize("pm_declined", key: "k2", amount: "7", order: "o 2")
    let id = try sandbox.authorization(key: "k1")
    sandbox.post("/authorizations/\(id)/capture", #"{"amount":"9.5"}"#, key: "k3")
    let ledger = try sandbox.ledger()
    #expect(ledger.map { $0["key"] } == ["k1", "k2", "k3"])
    let declined = [
      "key": "k2", "operation": "authorize", "tenant_id": "default", "order_id": "o 2", "amount": "7.00", "currency": "USD",
      "payment_method": "pm_declined", "result": "declined",
    ]
    #expect(ledger[1].compactMapValues(\.self) == declined)
    #expect(ledger[1].keys.contains("authorization_id"))
    #expect(ledger[2]["amount"] == "9.50" && ledger[2]["authorization_id"] == id && ledger[2]["payment_method"] == "pm_ok")
    #expect(try sandbox.ledger(order: "o%202").map { $0["key"] } == ["k2"])
    #expect(try sandbox.ledger(order: "o-1").map { $0["key"] } == ["k1", "k3"])
    #expect(try sandbox.ledger(order: "none").isEmpty)
  }

  @Test(arguments: [
    ("unavailable", "503 unavailable", 0), ("hang", "parked", 0), ("error", "500 internal_error", 1), ("reset", "cut", 1), ("slow", "5s 201 authorized", 1),
    ("ok", "201 authorized", 1),
  ])
  func aModeTreatsEveryCallTheSameUntilTheNext(mode: String, answer: String, effects: Int) throws {
    let sandbox = try SandboxFixture()
    #expect(sandbox.post("/sandbox/mode", #"{"mode":"\#(mode)"}"#) == "200 \(mode)")
    for _ in 0..<2 { #expect(sandbox.authorize() == answer) }
    #expect(try sandbox.ledger().count == effects)
    #expect(sandbox.post("/sandbox/mode", #"{"mode":"ok"}"#) == "200 ok")
    #expect(sandbox.authorize() == "201 authorized")
  }

  @Test func aModeEndsByItself() async throws {
    let sandbox = try SandboxFixture()
    #expect(sandbox.post("/sandbox/mode", #"{"mode":"unavailable","for_ms":100}"#) == "200 unavailable")
    #expect(await eventually { sandbox.authorize() == "201 authorized" })
    #expect(sandbox.get("/sandbox/mode") == "200 ok")
    #expect(sandbox.post("/sandbox/mode", #"{"mode":"nice"}"#) == "400 invalid_mode")
    #expect(sandbox.post("/sandbox/mode", #"{"mode":"hang","for_ms":0}"#) == "400 invalid_mode")
  }

  @Test func theLedgersFileOutlivesTheSandboxAndALineThatWasCut() throws {
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("ledger-\(UUID().uuidString)").path
    defer { try? FileManager.default.removeItem(atPath: path) }
    let first = try SandboxFixture(file: path)
    first.authorize("pm_error", key: "k1")
    first.authorize("pm_declined", key: "k2")
    let id = try first.authorization(key: "k1")
    first.post("/authorizations/\(id)/capture", #"{"amount":"59.98"}"#, key: "k3")
    first.post("/authorizations/\(id)/void", "{}", key: "k4")
    let file = try #require(FileHandle(forWritingAtPath: path))
    try file.seekToEnd()
    try file.write(contentsOf: Data(#"{"key":"k5","pa"#.utf8))
    try file.close()

    for _ in 0..<2 {
      let next = try SandboxFixture(file: path)
      #expect(try next.ledger() == first.ledger())
      #expect(next.authorize("pm_error", key: "k1") == "201 authorized")
      #expect(next.authorize("pm_declined", key: "k2") == "402 card_declined")
      #expect(next.post("/authorizations/\(id)/void", "{}", key: "k4") == "409 wrong_state")
      #expect(next.post("/authorizations/\(id)/capture", #"{"amount":"59.98"}"#, key: "new\(UUID())") == "409 wrong_state")
      #expect(next.get("/operations/k5") == "404 unknown_key")
    }
    #expect(throws: SandboxFault.self) { try SandboxFixture(file: "/no/such/folder/ledger") }
  }
}
