import Foundation
import Testing

/// `validate` as a process: what it prints, line by line, and how it ends.
@Suite struct ValidateProgramTests {
  private static let order = #"{"customer_id":"c","items":[{"product_id":"p","quantity":1,"unit_price":"1.50"}]}"#
  private static let good = #"{"type":"order.create","body":\#(order)}"#

  private static func verdicts(_ input: String, environment: [String: String] = [:]) async throws -> (code: Int32, verdicts: [Verdict]) {
    let result = try await Program.run(["validate"], environment: environment, input: input)
    return (result.code, try result.output.split(separator: "\n").map { try JSONDecoder().decode(Verdict.self, from: Data($0.utf8)) })
  }

  @Test func goodMessagesArePrintedAsSuchAndExit0() async throws {
    let result = try await Program.run(["validate"], input: Self.good + "\n" + Self.good)
    #expect(result.code == 0)
    #expect(result.output == (1...2).map { "{\"line\":\($0),\"valid\":true,\"reason\":null,\"errors\":[]}\n" }.joined())
    #expect(result.errors.isEmpty)
  }

  @Test func everyFaultOfABodyIsToldWithItsPlaceAndExit1() async throws {
    let line = #"{"type":"order.create","body":{"items":[{"product_id":"p","quantity":0,"unit_price":1.005}]}}"#
    let (code, verdicts) = try await Self.verdicts(line)
    #expect(code == 1)
    #expect(verdicts.map(\.reason) == ["invalid"])
    #expect(verdicts.first?.errors.map(\.code) == ["required", "range", "too_many_decimals"])
    #expect(verdicts.first?.errors.map(\.path) == ["customer_id", "items[0].quantity", "items[0].unit_price"])
    #expect(verdicts.first?.errors.allSatisfy { $0.message.hasPrefix($0.path) } == true)
  }

  @Test(arguments: [
    (#"{"type":"order.create","body":[]}"#, "malformed"), (#"{"type":"order.create","body":"{}"}"#, "malformed"), (#"{"type":"order.create"}"#, "malformed"),
    (#"{"type":7,"body":{}}"#, "malformed"), ("[]", "malformed"), ("nonsense", "malformed"), (#"{"type":"order.create","body":{"a":"\ud800"}}"#, "malformed"),
    ("\u{FEFF}" + good, "malformed"), (good + good, "malformed"), (#"{"body":{}}"#, "unknown_type"), (#"{"type":"","body":{}}"#, "unknown_type"),
    (#"{"type":null,"body":{}}"#, "unknown_type"), (#"{"type":"order.create.v2","body":\#(order)}"#, "unknown_type"),
    (#"{"type":"order.create","body":{}}"#, "invalid"),
    (#"{"type":"order.update_status","body":{"order_id":"1","status":"shipped"}}"#, "invalid"),
  ])
  func theReasonIsTheContractsWord(line: String, reason: String) async throws {
    let (code, verdicts) = try await Self.verdicts(line)
    #expect(code == 1)
    #expect(verdicts.map(\.reason) == [reason])
    #expect(verdicts.first?.valid == false && verdicts.first?.errors.isEmpty == false)
  }

  @Test func emptyLinesAreSkippedAndCounted() async throws {
    let (code, verdicts) = try await Self.verdicts("\n  \r\n\(Self.good)\r\n\n\(Self.good)")
    #expect(code == 0)
    #expect(verdicts.map(\.line) == [3, 5])
  }

  @Test func nothingToCheckIsNoFault() async throws {
    let (code, verdicts) = try await Self.verdicts("\n\n")
    #expect(code == 0)
    #expect(verdicts.isEmpty)
  }

  @Test func aBodyMayHave32LevelsAnd256KiBAndNoMore() async throws {
    func body(levels: Int) -> String {
      let inside = levels - 1
      return String(Self.order.dropLast()) + #","note":"# + String(repeating: "[", count: inside) + String(repeating: "]", count: inside) + "}"
    }
    func body(bytes: Int) -> String {
      let start = String(Self.order.dropLast()) + #","note":""#
      return start + String(repeating: "x", count: bytes - start.utf8.count - 2) + "\"}"
    }
    let bodies = [body(levels: 32), body(levels: 33), body(bytes: 262_144), body(bytes: 262_145)]
    let (_, verdicts) = try await Self.verdicts(bodies.map { #"{"type":"order.create","body":\#($0)}"# }.joined(separator: "\n"))
    #expect(verdicts.map(\.reason) == [nil, "malformed", nil, "malformed"])
  }

  @Test func aLineBeyondTheLimitIsThatLinesFaultAlone() async throws {
    let long = #"{"type":"order.create","body":{"note":"# + "\"" + String(repeating: "x", count: 3 << 20) + "\"}}"
    let (code, verdicts) = try await Self.verdicts([Self.good, long, Self.good].joined(separator: "\n"))
    #expect(code == 1)
    #expect(verdicts.map(\.line) == [1, 2, 3])
    #expect(verdicts.map(\.reason) == [nil, "malformed", nil])
    #expect(verdicts[1].errors.map(\.message) == ["the line has more than 1,048,576 bytes (1 MiB)"])
  }

  @Test func aPriceWithoutCurrencyIsJudgedByTheDefaultOne() async throws {
    #expect(try await Self.verdicts(Self.good, environment: ["ORDERS_DEFAULT_CURRENCY": "KWD"]).code == 0)
    let (code, verdicts) = try await Self.verdicts(Self.good, environment: ["ORDERS_DEFAULT_CURRENCY": "JPY"])
    #expect(code == 1)
    #expect(verdicts.first?.errors.map(\.code) == ["too_many_decimals"])
  }

  @Test func aFileIsReadLikeStandardInput() async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let file = try files.write(Self.good + "\n{}\n", to: "messages.jsonl")
    let result = try await Program.run(["validate", file, "--json"])
    #expect(result.code == 1)
    #expect(result.output.split(separator: "\n").count == 2)
    #expect(result.errors.contains("1 of the messages is not valid"))
  }

  @Test func aFileThatIsNotThereIsNamed() async throws {
    let result = try await Program.run(["validate", "/no/such/file"])
    #expect(result.code == 1)
    #expect(result.output.isEmpty)
    #expect(result.errors.contains("/no/such/file cannot be read"))
  }

  private struct Verdict: Decodable {
    struct Finding: Decodable {
      let path: String
      let code: String
      let message: String
    }

    let line: Int
    let valid: Bool
    let reason: String?
    let errors: [Finding]
  }
}
