import Domain

/// Reads typed fields out of a command's body, and collects what is wrong with them.
struct BodyFields {
  /// Stands in where the named currency does not exist: none has more decimals.
  private static let mostDecimals = Currency("CLF")!

  let document: JSONDocument
  private(set) var faults: [Fault] = []

  init(_ document: JSONDocument) { self.document = document }

  /// `rest` goes on from the path to a sentence: "must be a string".
  mutating func add(_ path: String, _ code: FaultCode, _ rest: String) {
    faults.append(Fault(path: path, code: code, message: "\(path) \(rest)"))
  }

  func optional(_ place: FieldPlace, of object: JSONNode) -> JSONNode? { document.field(place.name, of: object) }

  mutating func required(_ place: FieldPlace, of object: JSONNode) -> JSONNode? {
    if let node = document.field(place.name, of: object) { return node }
    add(place.path, .required, "is required")
    return nil
  }

  mutating func text(_ place: FieldPlace, _ node: JSONNode) -> String? {
    if node.kind == .string { return document.text(node) }
    add(place.path, .type, "must be a string")
    return nil
  }

  /// A text of 1 to 128 characters without control characters.
  mutating func identifier<ID>(_ place: FieldPlace, _ node: JSONNode, _ make: (String) -> ID?) -> ID? {
    guard let text = text(place, node) else { return nil }
    if let identifier = make(text) { return identifier }
    switch identifierFault(text) {
    case .empty: add(place.path, .required, "must not be empty")
    case .tooLong: add(place.path, .tooLong, "must have at most 128 characters")
    case .controlCharacter, nil: add(place.path, .format, "must not hold control characters")
    }
    return nil
  }

  mutating func uuid(_ place: FieldPlace, _ node: JSONNode) -> UUIDValue? {
    guard let text = text(place, node) else { return nil }
    if let uuid = UUIDValue(text) { return uuid }
    add(place.path, .format, "must be a UUID like 6f1c2d3e-0000-4000-8000-000000000000")
    return nil
  }

  mutating func truth(_ place: FieldPlace, _ node: JSONNode) -> Bool {
    if node.kind != .yes && node.kind != .no { add(place.path, .type, "must be true or false") }
    return node.kind == .yes
  }

  /// A whole number by value (`2.0` is 2) within `range`; `words` say the range.
  mutating func wholeNumber(_ place: FieldPlace, _ node: JSONNode, in range: ClosedRange<Int64>, _ words: String) -> Int64? {
    guard node.kind == .number else {
      add(place.path, .type, "must be a number")
      return nil
    }
    do throws(WholeNumber.Fault) {
      let value = try WholeNumber.parse(document.source(node))
      if range.contains(value) { return value }
      add(place.path, .range, "must be \(words)")
    } catch {
      if error == .range { add(place.path, .range, "must be \(words)") } else { add(place.path, .type, "must be a whole number") }
    }
    return nil
  }

  /// An amount that is not negative: a JSON number or a decimal string. Without a currency only what holds for every currency is looked at.
  mutating func amount(_ place: FieldPlace, _ node: JSONNode, _ currency: Currency?) -> Money? {
    let form: DecimalForm
    switch node.kind {
    case .number: form = .jsonNumber
    case .string: form = .decimalString
    default:
      add(place.path, .type, "must be a number or a decimal string")
      return nil
    }
    do throws(MoneyFault) {
      return try Money(parsing: document.utf8(node), as: form, currency: currency ?? Self.mostDecimals)
    } catch {
      switch error {
      case .format: add(place.path, .format, "must be a decimal number like 29.99, of at most 15 digits before the point where it is a string")
      case .negative: add(place.path, .range, "must not be negative")
      case .tooManyDecimals:
        if let currency { add(place.path, .tooManyDecimals, "must have at most \(currency.decimals) decimals in \(currency.code)") }
      case .overflow:
        if let currency { add(place.path, .overflow, "is more than can be counted in \(currency.code)") }
      }
      return nil
    }
  }

  /// Counted in Unicode scalars, as JSON Schema counts.
  static func isLonger(_ text: String, than most: Int) -> Bool { text.utf8.count > most && text.unicodeScalars.count > most }

  /// Names every place of U+0000 that no other fault names already, up to 20.
  mutating func addNullCharacters(in node: JSONNode, path: String = "") {
    guard faults.count < 20 else { return }
    let document = document
    var inside: [(JSONNode, String)] = []
    switch node.kind {
    case .string where document.utf8(node).contains(0): addNullCharacter(path)
    case .object:
      document.forEachMember(of: node) { key, value in
        let name = document.text(key)
        let place = path.isEmpty ? FieldPlace.shown(name) : "\(path).\(FieldPlace.shown(name))"
        if name.utf8.contains(0) { addNullCharacter(place) }
        inside.append((value, place))
        return faults.count < 20
      }
    case .array:
      document.forEachElement(of: node) { position, element in
        inside.append((element, "\(path)[\(position)]"))
        return true
      }
    default: break
    }
    for (value, place) in inside { addNullCharacters(in: value, path: place) }
  }

  private mutating func addNullCharacter(_ path: String) {
    if !faults.contains(where: { $0.path == path }) { add(path, .format, "must not hold U+0000") }
  }
}
