import JSONAdapter
import TestSupport
import Testing

@Suite struct JSONParserTests {
  private func accepts(_ text: [UInt8]) -> Bool { (try? JSONParser.parse(text)) != nil }

  @Test(arguments: [
    "{}", " { } ", "[]", "[ 1 , 2 ]", "null", "true", "false", "0", "-0", "1", "-1.5", "1e5", "1E+5", "1e-5", "0.5", "1e999", "\"\"", "\"ä€😀\"",
    "{\"a\":{\"b\":[1,{\"c\":null}]},\"d\":\"\\u00e9\\ud83d\\ude00\\n\\/\"}", "\t\r\n{\"a\":1}\n", "\"\u{7F}\"",
  ])
  func goodTextIsTaken(text: String) {
    #expect(accepts(Array(text.utf8)))
  }

  @Test(arguments: [
    ("", 0), (" ", 1), ("{", 1), ("[1", 2), ("{\"a\"", 4), ("{\"a\":", 5), ("{\"a\":1", 6), ("\"abc", 4), ("{\"a\" 1}", 5), ("{a:1}", 1), ("{'a':1}", 1),
    ("{\"a\":1,}", 7), ("[1,]", 3), ("[,1]", 1), ("[1 2]", 3), ("{} {}", 3), ("{}x", 2), ("nul", 0), ("nulL", 0), ("NaN", 0), ("Infinity", 0), ("-Infinity", 1),
    ("True", 0), ("01", 1), ("-01", 2), ("00", 1), ("1.", 2), (".5", 0), ("+1", 0), ("1.e5", 2), ("1e", 2), ("1e+", 3), ("-", 1), ("0x10", 1), ("1_0", 1),
    ("\"\\x\"", 2), ("\"\\u12\"", 5), ("\"\\u12G4\"", 5), ("\"\\", 2), ("\"a\u{0}b\"", 2), ("\"a\nb\"", 2), ("\"a\tb\"", 2), ("\"\u{1F}\"", 1), ("//\n{}", 0),
    ("{\"a\":1}}", 7), ("\u{A0}{}", 0), ("\u{0}", 0), ("{}\u{0}", 2),
  ])
  func badTextIsRefusedAtItsByte(text: String, offset: Int) {
    let fault = #expect(throws: JSONSyntaxError.self) { try JSONParser.parse(Array(text.utf8)) }
    #expect(fault?.offset == offset)
  }

  @Test(arguments: [
    "\\ud800", "\\udc00", "\\ud800x", "\\ud800\\n", "\\ud800\\ud800", "\\udc00\\ud800", "\\ud83d\\u0041", "a\\uDFFF", "\\ud83d\\", "\\ud83d\\u",
  ])
  func loneSurrogatesAreRefused(escapes: String) {
    #expect(!accepts(Array("\"\(escapes)\"".utf8)))
  }

  @Test(
    arguments: [
      [0x80], [0xBF], [0xC0, 0xAF], [0xC1, 0x81], [0xC2], [0xC2, 0x20], [0xE0, 0x9F, 0xBF], [0xE0, 0x80, 0xAF], [0xE2, 0x82], [0xED, 0xA0, 0x80],
      [0xED, 0xBF, 0xBF], [0xF0, 0x8F, 0xBF, 0xBF], [0xF0, 0x9F, 0x98], [0xF4, 0x90, 0x80, 0x80], [0xF5, 0x80, 0x80, 0x80], [0xFF], [0xFE],
      [0xF1, 0x80, 0x80, 0x41], [0xE1, 0x80, 0xC0],
    ] as [[UInt8]])
  func whatIsNotUTF8IsRefused(bytes: [UInt8]) {
    #expect(!accepts([0x22] + bytes + [0x22]), "in a string")
    #expect(!accepts([0x22] + bytes), "at the end")
    #expect(!accepts(bytes + [0x7B, 0x7D]), "before everything")
  }

  @Test(arguments: ["\u{80}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}", "\u{10FFFF}"])
  func charactersAtTheBordersAreTakenAndRead(character: String) throws {
    let document = try JSONParser.parse(Array("\"\(character)\"".utf8))
    #expect(document.text(document.root) == character)
  }

  @Test func aByteOrderMarkIsRefused() {
    let fault = #expect(throws: JSONSyntaxError.self) { try JSONParser.parse([0xEF, 0xBB, 0xBF] + Array("{}".utf8)) }
    #expect(fault?.sentence == "a byte order mark stands at byte 0")
  }

  @Test(arguments: [("[", "]"), ("{\"a\":", "}")])
  func thirtyTwoLevelsAreTakenAndThirtyThreeRefused(open: String, close: String) {
    func nested(_ levels: Int) -> [UInt8] {
      Array((String(repeating: open, count: levels - 1) + "{}" + String(repeating: close, count: levels - 1)).utf8)
    }
    #expect(accepts(nested(32)))
    #expect(!accepts(nested(33)))
    #expect(!accepts(nested(10_000)))
    #expect(!accepts(Array(String(repeating: open, count: 1_000_000).utf8)))
  }

  @Test func theLastOfTwoMembersOfOneNameCounts() throws {
    let document = try JSONParser.parse(Array(#"{"a":1,"b":2,"\u0061":3}"#.utf8))
    let a = try #require(document.member("a", of: document.root))
    #expect(document.source(a).elementsEqual("3".utf8))
    #expect(document.member("c", of: document.root) == nil)
  }

  @Test func numbersAndContainersKeepTheirText() throws {
    let document = try JSONParser.parse(Array(#"{"n": 29.990 , "o": { "x": [1, 2] } , "s": "a\"b"}"#.utf8))
    func source(_ name: StaticString) throws -> String {
      String(decoding: document.source(try #require(document.member(name, of: document.root))), as: UTF8.self)
    }
    #expect(try source("n") == "29.990")
    #expect(try source("o") == #"{ "x": [1, 2] }"#)
    #expect(try source("s") == #"a\"b"#)
  }

  @Test(arguments: [
    (#""\u0041\u00e9\u20AC\ud83d\uDE00""#, "Aé€😀"), (#""\b\f\n\r\t\"\\\/""#, "\u{8}\u{C}\n\r\t\"\\/"), (#""a\u0000b""#, "a\u{0}b"),
    (#""x\\u0041""#, "x\\u0041"),
    (#""\u07ff\u0800\uffff""#, "\u{7FF}\u{800}\u{FFFF}"), (#""\uD800\uDC00\uDBFF\uDFFF""#, "\u{10000}\u{10FFFF}"),
  ])
  func escapesAreRead(text: String, expected: String) throws {
    let document = try JSONParser.parse(Array(text.utf8))
    #expect(document.text(document.root).unicodeScalars.elementsEqual(expected.unicodeScalars))
  }

  @Test(arguments: [(#"{"a":"x\u0000"}"#, true), (#"{"a\u0000":1}"#, true), (#"{"a":[[{"b":"\u0000"}]]}"#, true), (#"{"a":"\\u0000"}"#, false), ("{}", false)])
  func uPlus0000IsNoticedAnywhere(text: String, expected: Bool) throws {
    #expect(try JSONParser.parse(Array(text.utf8)).hasNullCharacter == expected)
  }

  @Test func randomBytesAndMutatedTextNeverCrash() {
    var random = SeededGenerator.forTest(#function)
    let good = Array(#"{"a":[1,-2.5e10,"x\u00e9\ud83d\ude00ä",{"b":null,"c":true}],"d":{}}"#.utf8)
    let alphabet = Array("{}[]\",:\\u0123d8ce+-.tfn \u{0}".utf8) + [0xC3, 0xA4, 0xED, 0xF0, 0xFF]
    for _ in 0..<20_000 {
      var text = Bool.random(using: &random) ? good : (0..<Int.random(in: 0...40, using: &random)).map { _ in alphabet.randomElement(using: &random)! }
      for _ in 0..<Int.random(in: 0...3, using: &random) where !text.isEmpty {
        text[Int.random(in: text.indices, using: &random)] = alphabet.randomElement(using: &random)!
      }
      guard let document = try? JSONParser.parse(text) else { continue }
      #expect(String(validating: text, as: UTF8.self) != nil, "taken, but not UTF-8: \(text), seed \(random.seed)")
      _ = readAll(document, document.root)
    }
  }

  private func readAll(_ document: JSONDocument, _ node: JSONNode) -> Int {
    var sum = node.kind == .string ? document.text(node).utf8.count : 1
    document.forEachMember(of: node) { key, value in
      sum += document.text(key).utf8.count + readAll(document, value)
      return true
    }
    document.forEachElement(of: node) { _, element in
      sum += readAll(document, element)
      return true
    }
    return sum
  }
}
