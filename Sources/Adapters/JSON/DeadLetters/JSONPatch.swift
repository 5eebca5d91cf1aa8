/// Why a patch cannot be read or does not fit; nothing was changed.
package struct JSONPatchFault: Error, Equatable, Sendable {
  package let sentence: String
  init(_ sentence: String) { self.sentence = sentence }
}

/// A JSON Patch (RFC 6902): all of it is applied, or nothing.
package struct JSONPatch: Sendable {
  private enum Operation: Sendable {
    case add(JSONPointer, JSONValue)
    case remove(JSONPointer)
    case replace(JSONPointer, JSONValue)
    case move(from: JSONPointer, to: JSONPointer)
    case copy(from: JSONPointer, to: JSONPointer)
    case test(JSONPointer, JSONValue)
  }
  private let operations: [Operation]
  /// What it does, without values: they may be secrets.
  package let summary: String

  package init(_ text: [UInt8]) throws(JSONPatchFault) {
    let document: JSONDocument
    do throws(JSONSyntaxError) {
      document = try JSONParser.parse(text)
    } catch {
      throw JSONPatchFault("the patch is not JSON: \(error.sentence)")
    }
    guard document.root.kind == .array else { throw JSONPatchFault("the patch must be an array of operations") }
    var nodes: [JSONNode] = []
    document.forEachElement(of: document.root) { _, node in
      nodes.append(node)
      return true
    }
    var operations: [Operation] = []
    var told: [String] = []
    for node in nodes {
      guard let name = Self.text("op", of: node, document), let path = Self.text("path", of: node, document) else {
        throw JSONPatchFault("each operation of the patch is an object with the texts op and path")
      }
      operations.append(try Self.operation(name, try JSONPointer(path), node, document))
      told.append("\(name) \(path.isEmpty ? "the whole" : path)")
    }
    self.operations = operations
    summary = told.joined(separator: ", ")
  }

  private static func operation(_ name: String, _ path: JSONPointer, _ node: JSONNode, _ document: JSONDocument) throws(JSONPatchFault) -> Operation {
    func value() throws(JSONPatchFault) -> JSONValue {
      guard let value = document.member("value", of: node) else { throw JSONPatchFault("\(name) \(path.text) has no value") }
      return JSONValue(document, value)
    }
    func from() throws(JSONPatchFault) -> JSONPointer {
      guard let from = text("from", of: node, document) else { throw JSONPatchFault("\(name) \(path.text) has no from") }
      return try JSONPointer(from)
    }
    switch name {
    case "add": return .add(path, try value())
    case "remove": return .remove(path)
    case "replace": return .replace(path, try value())
    case "move":
      let from = try from()
      if path.isInside(from) { throw JSONPatchFault("\(from.text) cannot be moved into itself") }
      return .move(from: from, to: path)
    case "copy": return .copy(from: try from(), to: path)
    case "test": return .test(path, try value())
    default: throw JSONPatchFault("\(name) is no operation: add, remove, replace, move, copy, test")
    }
  }

  private static func text(_ name: StaticString, of node: JSONNode, _ document: JSONDocument) -> String? {
    guard let member = document.member(name, of: node), member.kind == .string else { return nil }
    return document.text(member)
  }

  package func apply(to body: [UInt8]) throws(JSONPatchFault) -> [UInt8] {
    guard let document = try? JSONParser.parse(body) else { throw JSONPatchFault("the body is not JSON: a patch cannot be applied") }
    var value = JSONValue(document, document.root)
    for operation in operations {
      switch operation {
      case .add(let path, let new): try value.add(new, at: path)
      case .remove(let path): _ = try value.remove(path)
      case .replace(let path, let new): try value.replace(path, new)
      case .move(let from, let path): try value.add(try value.remove(from), at: path)
      case .copy(let from, let path): try value.add(try value.value(at: from), at: path)
      case .test(let path, let wanted):
        guard try value.value(at: path) == wanted else { throw JSONPatchFault("the test of \(path.text) does not hold") }
      }
      try Self.checkLimits(value)
    }
    return value.bytes
  }

  /// After each operation, for what copies the whole into itself doubles it each time.
  private static func checkLimits(_ value: JSONValue) throws(JSONPatchFault) {
    let bytes = value.bytes
    guard bytes.count <= TransportReader.largestBody else { throw JSONPatchFault("the body would be larger than a message may be") }
    do throws(JSONSyntaxError) {
      _ = try JSONParser.parse(bytes)
    } catch {
      throw JSONPatchFault("the body would not be JSON that can be taken: \(error.sentence)")
    }
  }
}
