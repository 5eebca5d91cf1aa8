import JSONAdapter
import Testing

/// RFC 6902, by the examples of its appendix and what they leave open.
@Suite struct JSONPatchTests {
  private static func apply(_ patch: String, to body: String) throws(JSONPatchFault) -> String {
    String(decoding: try JSONPatch(Array(patch.utf8)).apply(to: Array(body.utf8)), as: UTF8.self)
  }

  @Test(arguments: [
    (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz","value":"qux"}]"#, #"{"foo":"bar","baz":"qux"}"#),
    (#"{"foo":["bar","baz"]}"#, #"[{"op":"add","path":"/foo/1","value":"qux"}]"#, #"{"foo":["bar","qux","baz"]}"#),
    (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"remove","path":"/baz"}]"#, #"{"foo":"bar"}"#),
    (#"{"foo":["bar","qux","baz"]}"#, #"[{"op":"remove","path":"/foo/1"}]"#, #"{"foo":["bar","baz"]}"#),
    (#"{"baz":"qux","foo":"bar"}"#, #"[{"op":"replace","path":"/baz","value":"boo"}]"#, #"{"baz":"boo","foo":"bar"}"#),
    (#"{"foo":{"bar":"baz"},"qux":{}}"#, #"[{"op":"move","from":"/foo/bar","path":"/qux/thud"}]"#, #"{"foo":{},"qux":{"thud":"baz"}}"#),
    (#"{"foo":["all","grass","cows","eat"]}"#, #"[{"op":"move","from":"/foo/1","path":"/foo/3"}]"#, #"{"foo":["all","cows","eat","grass"]}"#),
    (#"{"foo":["a",2,"c"]}"#, #"[{"op":"test","path":"/foo/1","value":2.0}]"#, #"{"foo":["a",2,"c"]}"#),
    (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/child","value":{"grandchild":{}},"xyz":1}]"#, #"{"foo":"bar","child":{"grandchild":{}}}"#),
    (#"{"/":9,"~1":10}"#, #"[{"op":"test","path":"/~01","value":10},{"op":"replace","path":"/~1","value":1}]"#, #"{"/":1,"~1":10}"#),
    (#"{"foo":["bar"]}"#, #"[{"op":"add","path":"/foo/-","value":["abc"]}]"#, #"{"foo":["bar",["abc"]]}"#),
    (#"{"a":1}"#, #"[{"op":"copy","from":"/a","path":"/b"},{"op":"replace","path":"/b","value":null}]"#, #"{"a":1,"b":null}"#),
    (#"{"a":29.990}"#, #"[{"op":"add","path":"/b","value":99999999999999999999.10}]"#, #"{"a":29.990,"b":99999999999999999999.10}"#),
    (#"{"a":"é\u0000\ud83d\ude00"}"#, #"[{"op":"test","path":"/a","value":"é\u0000😀"}]"#, "{\"a\":\"é\\u0000\u{1F600}\"}"),
    (#"{"a":1}"#, #"[{"op":"replace","path":"","value":{"b":2}}]"#, #"{"b":2}"#), (#"{"a":1}"#, "[]", #"{"a":1}"#),
    (#"{"o":{"x":1,"y":[{}]}}"#, #"[{"op":"test","path":"/o","value":{"y":[{}],"x":1e0}}]"#, #"{"o":{"x":1,"y":[{}]}}"#),
  ]) func whatFitsIsApplied(body: String, patch: String, result: String) throws {
    #expect(try Self.apply(patch, to: body) == result)
  }

  @Test(arguments: [
    (#"{"baz":"qux"}"#, #"[{"op":"test","path":"/baz","value":"bar"}]"#, "does not hold"),
    (#"{"foo":"bar"}"#, #"[{"op":"add","path":"/baz/bat","value":"qux"}]"#, "no place"),
    (#"{"/":1}"#, #"[{"op":"test","path":"/~01","value":"10"}]"#, "no place"),
    (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/1"}]"#, "no place"), (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/01"}]"#, "no place"),
    (#"{"a":[1]}"#, #"[{"op":"add","path":"/a/2","value":1}]"#, "no place"), (#"{"a":[1]}"#, #"[{"op":"remove","path":"/a/-"}]"#, "no place"),
    (#"{"a":{"b":1}}"#, #"[{"op":"move","from":"/a","path":"/a/b"}]"#, "into itself"), ("{", "[]", "not JSON"),
    (#"{"a":1}"#, #"[{"op":"replace","path":"/b","value":1}]"#, "no place"), (#"{"a":1}"#, #"[{"op":"add","path":"/b"}]"#, "no value"),
    (#"{"a":9007199254740993}"#, #"[{"op":"test","path":"/a","value":9007199254740992}]"#, "does not hold"),
    (#"{}"#, #"[{"op":"erase","path":"/b"}]"#, "no operation"), (#"{}"#, #"{"op":"add"}"#, "array"), (#"{}"#, #"[{"op":"add"}]"#, "path"),
    (#"{}"#, #"[{"op":"remove","path":"b"}]"#, "begin with /"), (#"{}"#, #"[{"op":"remove","path":"/~2"}]"#, "~"), (#"{}"#, "[", "not JSON"),
  ]) func whatDoesNotFitSaysWhyAndChangesNothing(body: String, patch: String, word: String) {
    #expect {
      try Self.apply(patch, to: body)
    } throws: { error in
      (error as? JSONPatchFault)?.sentence.contains(word) == true
    }
  }

  /// Each copy of the whole into itself doubles it.
  @Test(arguments: [("/b", 24, "larger than a message"), ("/a/a", 40, "not be JSON that can be taken")])
  func copiesDoNotGrowWithoutEnd(path: String, count: Int, sentence: String) throws {
    let copies = (0..<count).map { #"{"op":"copy","from":"","path":"\#(path)\#(path == "/b" ? "\($0)" : "")"}"# }
    let patch = try JSONPatch(Array("[\(copies.joined(separator: ","))]".utf8))
    let fault = #expect(throws: JSONPatchFault.self) { try patch.apply(to: Array(#"{"a":{}}"#.utf8)) }
    #expect(fault?.sentence.contains(sentence) == true, "\(fault?.sentence ?? "")")
  }

  @Test func itsSummaryHoldsNoValues() throws {
    let patch = try JSONPatch(Array(#"[{"op":"replace","path":"/payment_method","value":"pm_secret"},{"op":"remove","path":"/items/0"}]"#.utf8))
    #expect(patch.summary == "replace /payment_method, remove /items/0")
  }
}
