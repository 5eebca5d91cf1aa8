import JSONAdapter

/// JSON read back by paths: texts as they are, everything else as its source.
struct JSONText {
  enum Step: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case name(String), position(Int)
    init(stringLiteral name: String) { self = .name(name) }
    init(integerLiteral position: Int) { self = .position(position) }
  }

  private let document: JSONDocument

  init(_ bytes: [UInt8]) throws { document = try JSONParser.parse(bytes) }

  subscript(path: Step...) -> String? {
    var node = document.root
    for step in path {
      var found: JSONNode?
      switch step {
      case .name(let name):
        document.forEachMember(of: node) { key, value in
          if document.text(key) == name { found = value }
          return true
        }
      case .position(let wanted):
        document.forEachElement(of: node) { position, element in
          if position == wanted { found = element }
          return true
        }
      }
      guard let found else { return nil }
      node = found
    }
    return node.kind == .string ? document.text(node) : String(decoding: document.source(node), as: UTF8.self)
  }

  var metadata: [(key: String, value: String)] {
    var pairs: [(String, String)] = []
    guard let metadata = document.member("metadata", of: document.root) else { return [] }
    document.forEachMember(of: metadata) { key, value in
      pairs.append((document.text(key), document.text(value)))
      return true
    }
    return pairs
  }
}
