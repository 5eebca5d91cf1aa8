/// Where a field stands in a command's body, as faults tell it: `customer_id`, `items[3].quantity`.
struct FieldPlace {
  let name: StaticString
  /// The item that the field belongs to.
  let item: Int?

  init(_ name: StaticString, item: Int? = nil) {
    self.name = name
    self.item = item
  }

  var path: String { item.map { "items[\($0)].\(name)" } ?? "\(name)" }

  /// A member name that the sender chose, fit to be shown: cut, and without control characters.
  static func shown(_ key: String) -> String {
    var shown = ""
    for (count, scalar) in key.unicodeScalars.enumerated() {
      if count == 64 { return shown + "…" }
      shown.unicodeScalars.append(scalar.value < 0x20 || (0x7F...0x9F).contains(scalar.value) ? "\u{FFFD}" : scalar)
    }
    return shown
  }
}
