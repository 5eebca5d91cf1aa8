import Application
import Domain

/// A stock count as CSV: the header `product_id,quantity`, then a line for each product. RFC 4180, line feeds alone are fine too.
struct StockFile {
  static let largestQuantity: Int64 = 999_999_999_999_999

  private(set) var counts: [StockCount] = []
  /// A sentence for each line that is not as it should be, naming it.
  private(set) var faults: [String] = []
  /// Where each product stands in the file.
  private(set) var lines: [ProductID: Int] = [:]

  init(_ bytes: [UInt8]) {
    guard let text = String(validating: bytes, as: UTF8.self) else {
      faults.append("the file is not text in UTF-8")
      return
    }
    var sawHeader = false
    for (number, line) in Self.numberedLines(text) where !line.allSatisfy(Self.isBlank) {
      guard let fields = Self.fields(line) else {
        faults.append("line \(number): the quotation marks do not close, or something follows them")
        continue
      }
      if sawHeader {
        take(fields, number)
      } else {
        sawHeader = true
        if fields != ["product_id", "quantity"] {
          faults.append("line \(number): the header must be product_id,quantity and is \(TextTable.printable(String(line)))")
          return
        }
      }
    }
    if !sawHeader { faults.append("line 1: the header product_id,quantity is missing") }
  }

  private mutating func take(_ fields: [String], _ number: Int) {
    guard fields.count == 2 else {
      faults.append("line \(number): two fields are expected, and there are \(fields.count)")
      return
    }
    guard let product = ProductID(fields[0]) else {
      faults.append("line \(number): product_id must have 1 to 128 characters, none of them a control character")
      return
    }
    guard let quantity = Self.quantity(fields[1]) else {
      faults.append("line \(number): quantity \"\(TextTable.printable(fields[1]))\" of \(product) is not a whole number from 0 to \(Self.largestQuantity)")
      return
    }
    if let earlier = lines[product] {
      faults.append("line \(number): \(product) stands in line \(earlier) already")
      return
    }
    lines[product] = number
    counts.append(StockCount(product: product, onHand: quantity))
  }

  static func quantity(_ text: String) -> Int64? {
    guard (1...15).contains(text.utf8.count), text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
    return Int64(text)
  }

  /// A line with its number, from 1. A byte order mark before the first is no part of it.
  ///
  /// Here and below it goes by scalars: a quotation mark or comma before a combining mark is one character with it.
  private static func numberedLines(_ text: String) -> some Sequence<(Int, Substring.UnicodeScalarView)> {
    let text = text.unicodeScalars.first == "\u{FEFF}" ? text.unicodeScalars.dropFirst() : text.unicodeScalars[...]
    return text.split(omittingEmptySubsequences: false) { $0 == "\n" }.enumerated().lazy.map { number, line in
      (number + 1, line.last == "\r" ? line.dropLast() : line)
    }
  }

  /// Nil where quotation marks do not fit together. No field holds a line's end: product ids have no control characters.
  private static func fields(_ line: Substring.UnicodeScalarView) -> [String]? {
    var fields: [String] = []
    var rest = line
    while true {
      var field = Substring.UnicodeScalarView()
      rest = rest.drop(while: isBlank)
      if rest.first == "\"" {
        rest = rest.dropFirst()
        while true {
          guard let quote = rest.firstIndex(of: "\"") else { return nil }
          field.append(contentsOf: rest[..<quote])
          rest = rest[rest.index(after: quote)...]
          guard rest.first == "\"" else { break }
          field.append("\"")
          rest = rest.dropFirst()
        }
        rest = rest.drop(while: isBlank)
        guard rest.isEmpty || rest.first == "," else { return nil }
      } else {
        field = rest.prefix { $0 != "," }
        rest = rest.dropFirst(field.count)
        while field.last.map(isBlank) == true { field = field.dropLast() }
      }
      fields.append(String(field))
      if rest.isEmpty { return fields }
      rest = rest.dropFirst()
    }
  }

  private static func isBlank(_ scalar: Unicode.Scalar) -> Bool { scalar == " " || scalar == "\t" }
}
