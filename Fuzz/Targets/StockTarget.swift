import Application
import Domain

@testable import order_worker

/// A stock count as CSV: what is read keeps within its limits, and is read the same when it is written with all quotation marks.
enum StockTarget {
  static func run(_ input: [UInt8]) {
    let file = StockFile(input)
    for count in file.counts {
      expect((0...StockFile.largestQuantity).contains(count.onHand), "a quantity is none")
      expect(identifierFault(count.product.rawValue) == nil, "a product's id is none")
      expect(file.lines[count.product] != nil, "a product is in no line")
    }
    expect(Set(file.counts.map(\.product)).count == file.counts.count, "a product comes twice")
    expect(file.faults.allSatisfy { !$0.isEmpty }, "a fault says nothing")
    var written = "product_id,quantity\r\n"
    for count in file.counts {
      // By scalars: a mark that combines makes one character with the quotation mark before it.
      let product = count.product.rawValue.unicodeScalars.map { $0 == "\"" ? "\"\"" : String($0) }.joined()
      written += "\"\(product)\",\"\(count.onHand)\"\r\n"
    }
    let again = StockFile(Array(written.utf8))
    expect(again.faults.isEmpty, "what was written cannot be read: \(again.faults)")
    expect(again.counts.map(\.product) == file.counts.map(\.product), "what was written has other products")
    expect(again.counts.map(\.onHand) == file.counts.map(\.onHand), "what was written has other quantities")
  }
}
