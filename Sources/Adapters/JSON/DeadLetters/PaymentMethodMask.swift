import Domain

/// Hides payment methods in a body that may be anything: whatever stands as the value of `payment_method`, and what an encoded CloudEvent may hold of it.
enum PaymentMethodMask {
  private static let hidden = Array(#""(masked)""#.utf8)

  static func mask(_ body: [UInt8]) -> [UInt8] {
    if let document = try? JSONParser.parse(body) {
      var ranges: [Range<Int>] = []
      collect(document, document.root, &ranges)
      return replacing(ranges, in: body)
    }
    return replacing(scanned(body), in: body)
  }

  private static func collect(_ document: JSONDocument, _ node: JSONNode, _ ranges: inout [Range<Int>]) {
    document.forEachMember(of: node) { name, value in
      let text = document.text(name)
      if (text == "payment_method" || text == "data_base64") && value.kind != .null {
        let quotes = value.kind == .string ? 1 : 0
        ranges.append(value.range.lowerBound - quotes..<value.range.upperBound + quotes)
      } else {
        collect(document, value, &ranges)
      }
      return true
    }
    document.forEachElement(of: node) { _, element in
      collect(document, element, &ranges)
      return true
    }
  }

  /// In text that is no JSON: from the colon behind the name to the end of the string, or of the line where it has no end.
  private static func scanned(_ body: [UInt8]) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    for name in ["payment_method", "data_base64"] {
      let name = Array(name.utf8)
      var at = 0
      while at + name.count <= body.count {
        guard body[at] == name[0], body[at..<at + name.count].elementsEqual(name) else {
          at += 1
          continue
        }
        at += name.count
        while at < body.count, [0x22, 0x27, 0x20, 0x09, 0x3A, 0x3D, 0x5C].contains(body[at]) { at += 1 }
        let start = at
        while at < body.count, ![0x22, 0x27, 0x2C, 0x7D, 0x0A].contains(body[at]) { at += 1 }
        if at > start { ranges.append(start..<at) }
      }
    }
    return ranges.sorted { $0.lowerBound < $1.lowerBound }
  }

  private static func replacing(_ ranges: [Range<Int>], in body: [UInt8]) -> [UInt8] {
    var result: [UInt8] = []
    var at = 0
    for range in ranges where range.lowerBound >= at {
      result += body[at..<range.lowerBound]
      // Within the quotes of a text that is no JSON they are there already.
      result += body[range.lowerBound] == 0x22 || range.lowerBound == 0 || body[range.lowerBound - 1] != 0x22 ? hidden : hidden.dropFirst().dropLast()
      at = range.upperBound
    }
    return result + body[at...]
  }
}
