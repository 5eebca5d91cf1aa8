/// Looking up and changing what a pointer names.
extension JSONValue {
  func value(at pointer: JSONPointer) throws(JSONPatchFault) -> JSONValue {
    var value = self
    for token in pointer.tokens {
      switch value {
      case .object(let members):
        guard let member = members.first(where: { $0.name == token }) else { throw .missing(pointer) }
        value = member.value
      case .array(let elements): value = elements[try Self.index(token, below: elements.count, pointer)]
      default: throw .missing(pointer)
      }
    }
    return value
  }

  mutating func add(_ new: JSONValue, at pointer: JSONPointer) throws(JSONPatchFault) {
    guard let last = pointer.tokens.last else { return self = new }
    try change(pointer.tokens.dropLast(), pointer) { (container: inout JSONValue) throws(JSONPatchFault) in
      switch container {
      case .object(var members):
        if let place = members.firstIndex(where: { $0.name == last }) { members[place].value = new } else { members.append((last, new)) }
        container = .object(members)
      case .array(var elements):
        elements.insert(new, at: last == "-" ? elements.count : try Self.index(last, below: elements.count + 1, pointer))
        container = .array(elements)
      default: throw .missing(pointer)
      }
    }
  }

  mutating func remove(_ pointer: JSONPointer) throws(JSONPatchFault) -> JSONValue {
    let removed = try value(at: pointer)
    guard let last = pointer.tokens.last else {
      self = .null
      return removed
    }
    try change(pointer.tokens.dropLast(), pointer) { (container: inout JSONValue) throws(JSONPatchFault) in
      switch container {
      case .object(var members):
        members.removeAll { $0.name == last }
        container = .object(members)
      case .array(var elements):
        elements.remove(at: try Self.index(last, below: elements.count, pointer))
        container = .array(elements)
      default: throw .missing(pointer)
      }
    }
    return removed
  }

  mutating func replace(_ pointer: JSONPointer, _ new: JSONValue) throws(JSONPatchFault) {
    _ = try value(at: pointer)
    try change(pointer.tokens[...], pointer) { (place: inout JSONValue) throws(JSONPatchFault) in place = new }
  }

  private mutating func change(
    _ tokens: ArraySlice<String>, _ pointer: JSONPointer, _ body: (inout JSONValue) throws(JSONPatchFault) -> Void
  ) throws(JSONPatchFault) {
    guard let token = tokens.first else { return try body(&self) }
    switch self {
    case .object(var members):
      guard let place = members.firstIndex(where: { $0.name == token }) else { throw .missing(pointer) }
      try members[place].value.change(tokens.dropFirst(), pointer, body)
      self = .object(members)
    case .array(var elements):
      try elements[try Self.index(token, below: elements.count, pointer)].change(tokens.dropFirst(), pointer, body)
      self = .array(elements)
    default: throw .missing(pointer)
    }
  }

  private static func index(_ token: String, below count: Int, _ pointer: JSONPointer) throws(JSONPatchFault) -> Int {
    guard let index = Int(token), String(index) == token, (0..<count).contains(index) else { throw .missing(pointer) }
    return index
  }
}

extension JSONPatchFault {
  fileprivate static func missing(_ pointer: JSONPointer) -> JSONPatchFault { JSONPatchFault("there is no place \(pointer.text) in the body") }
}
