@testable import JSONAdapter

/// A JSON Patch in the first line, and the body that it is for: what comes out is JSON, the same each time, and a whole is always equal to itself.
enum PatchTarget {
  static func run(_ input: [UInt8]) {
    let lines = input.split(separator: 0x0A, maxSplits: 1, omittingEmptySubsequences: false)
    guard lines.count == 2, let patch = try? JSONPatch(Array(lines[0])) else { return }
    let body = Array(lines[1])
    guard let result = try? patch.apply(to: body) else { return }
    expect((try? patch.apply(to: body)) == result, "the second result differs")
    expect(result.count <= TransportReader.largestBody, "the result is larger than a body may be")
    let document = expected(try? JSONParser.parse(result), "the result is not JSON that can be taken")
    let value = JSONValue(document, document.root)
    expect(value.bytes == result, "the result is read as something else")
    // A result of the deepest levels cannot stand in a patch.
    if result.count < 4_096, let test = try? JSONPatch(Array(#"[{"op":"test","path":"","value":"#.utf8) + result + Array("}]".utf8)) {
      expect((try? test.apply(to: result)) == result, "the result is not equal to itself")
    }
  }
}
