import FoundationEssentials

@testable import JSONAdapter

/// JSON text: whatever is taken is UTF-8, is JSON to others too, and comes back the same when it is written and read again.
enum JSONTarget {
  /// Takes everything, so that only the text is judged.
  private struct Anything: Decodable { init(from decoder: any Decoder) throws {} }

  static func run(_ input: [UInt8]) {
    guard let document = try? JSONParser.parse(input) else { return }
    expect(String(validating: input, as: UTF8.self) != nil, "what is not UTF-8 was taken")
    let value = JSONValue(document, document.root)
    let written = value.bytes
    let again = expected(try? JSONParser.parse(written), "what was written cannot be read")
    let second = JSONValue(again, again.root)
    expect(second.bytes == written, "what was written is read as something else")
    expect(document.hasNullCharacter || !again.hasNullCharacter, "U+0000 was not noticed")
    guard input.count <= 4_096 else { return }
    expect(second == value, "what was read again is not equal")
    expect((try? JSONDecoder().decode(Anything.self, from: Data(input))) != nil, "Foundation does not take it for JSON")
    if document.root.kind == .string {
      let text = expected(try? JSONDecoder().decode(String.self, from: Data(input)), "Foundation cannot read the text")
      expect(text.utf8.elementsEqual(document.text(document.root).utf8), "Foundation reads another text")
    }
  }
}

/// A line of `order-worker validate`: it finds in a body what the worker would find in a message.
enum LineTarget {
  private static let validator = MessageValidator(defaultCurrency: Fixed.currency)

  static func run(_ input: [UInt8]) {
    let verdict = validator.verdict(ofLine: input)
    expect(verdict == validator.verdict(ofLine: input), "the second verdict differs")
    expect(verdict.isValid == verdict.errors.isEmpty, "a line is refused without a word, or taken with one")
    guard verdict.isValid else { return }
    expect(String(validating: input, as: UTF8.self) != nil, "what is not UTF-8 was taken")
  }
}
