import Application
import ArgumentParser
import JSONAdapter
import Operations

struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Check messages against the contract, without any server.",
    discussion: """
      FILE has a message in each line, as JSON: {"type": …, "body": …}. For each a line of JSON is printed: {"line", "valid", "reason", "errors"}, where reason \
      is malformed, unknown_type, invalid or null, and errors lists path, code and message of every fault. The rules are those of the worker itself. \
      Empty lines are skipped. Exit 1 where any message is not valid.

        order-worker validate messages.jsonl
        echo '{"type":"order.get","body":{"order_id":"506a8d47-2e95-52ec-9c4d-cbb0d1c4eb29"}}' | order-worker validate

      An order.create that names no currency is judged by ORDERS_DEFAULT_CURRENCY.
      """)

  /// Room for the largest body, and for what stands around it.
  static let longestLine = 1 << 20

  @Argument(help: ArgumentHelp("The file; - for standard input.", valueName: "FILE")) var file = "-"
  @Flag(help: "Lines of JSON, which is what it prints anyway.") var json = false
  @OptionGroup var settings: SettingOptions

  func run() throws {
    let validator = MessageValidator(defaultCurrency: try settings.load()[.defaultCurrency])
    var number: Int64 = 0
    var invalid = 0
    do throws(FileFault) {
      var reader = try LineReader(file, limit: Self.longestLine)
      while let lines = try reader.next() {
        var output = JSONText()
        for line in lines {
          number += 1
          guard let verdict = Self.verdict(line, validator) else { continue }
          if !verdict.isValid { invalid += 1 }
          Self.write(verdict, line: number, to: &output)
        }
        Console.print(utf8Lines: output.bytes)
      }
    } catch {
      throw CommandFailure("\(file) cannot be read: \(error.reason)")
    }
    if invalid > 0 { throw CommandFailure("\(invalid) of the messages \(invalid == 1 ? "is" : "are") not valid") }
  }

  /// Nil for a line with nothing in it.
  private static func verdict(_ line: LineReader.Line, _ validator: MessageValidator) -> MessageValidator.Verdict? {
    switch line {
    case .tooLong: .refused(.malformed, "the line has more than 1,048,576 bytes (1 MiB)")
    case .text(let text): text.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } ? nil : validator.verdict(ofLine: text)
    }
  }

  private static func write(_ verdict: MessageValidator.Verdict, line: Int64, to json: inout JSONText) {
    json.object { json in
      json.member("line", line)
      json.member("valid", verdict.isValid)
      if let reason = verdict.reason { json.member("reason", reason.rawValue) } else { json.null("reason") }
      json.name("errors")
      json.array(verdict.errors) { json, error in
        json.object {
          $0.member("path", error.path)
          $0.member("code", error.code)
          $0.member("message", error.message)
        }
      }
    }
    json.newline()
  }
}
