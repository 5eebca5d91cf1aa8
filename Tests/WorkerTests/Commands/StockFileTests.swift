import Application
import Domain
import Testing

@testable import order_worker

@Suite struct StockFileTests {
  private static func read(_ text: String) -> StockFile { StockFile(Array(text.utf8)) }

  @Test(arguments: [
    "product_id,quantity\na,1\nb,20\n", "product_id,quantity\r\na,1\r\nb,20", "\u{FEFF}product_id,quantity\n\na,1\n\nb,20\n",
    "\"product_id\",\"quantity\"\n\"a\",\"1\"\n b , 20 \n",
  ])
  func aFileIsReadWhateverItsEndingsAndQuotes(text: String) {
    let file = Self.read(text)
    #expect(file.faults.isEmpty)
    #expect(file.counts.map(\.product.rawValue) == ["a", "b"])
    #expect(file.counts.map(\.onHand) == [1, 20])
  }

  @Test func aQuotedFieldMayHoldCommasAndQuotes() {
    let file = Self.read("product_id,quantity\n\"a, \"\"b\"\"\",1\n")
    #expect(file.counts.map(\.product.rawValue) == ["a, \"b\""])
  }

  /// A combining mark makes one character of itself and what stands before it.
  @Test func marksThatCombineSeparateNothing() {
    let file = Self.read("product_id,quantity\n\u{06D8}ned,0\n\"\u{0301}a\",\"1\"\nb\u{0301},2\n")
    #expect(file.faults == [])
    #expect(file.counts.map(\.product.rawValue) == ["\u{06D8}ned", "\u{0301}a", "b\u{0301}"])
  }

  @Test(arguments: [
    ("", "line 1: the header product_id,quantity is missing"), ("a,1\n", "line 1: the header must be product_id,quantity and is a,1"),
    ("quantity,product_id\n1,a\n", "line 1: the header must be"), ("product_id,quantity\na,-1\n", "line 2: quantity \"-1\" of a is not"),
    ("product_id,quantity\na,many\n", "line 2: quantity \"many\""), ("product_id,quantity\na,1.5\n", "line 2: quantity \"1.5\""),
    ("product_id,quantity\na,\n", "line 2: quantity \"\""), ("product_id,quantity\na,1000000000000000\n", "line 2: quantity"),
    ("product_id,quantity\n\na\n", "line 3: two fields"), ("product_id,quantity\na,1,2\n", "line 2: two fields are expected, and there are 3"),
    ("product_id,quantity\n,1\n", "line 2: product_id must have"), ("product_id,quantity\n\"a,1\n", "line 2: the quotation marks"),
    ("product_id,quantity\n\"a\"b,1\n", "line 2: the quotation marks"), ("product_id,quantity\na,1\nb,1\na,2\n", "line 4: a stands in line 2 already"),
  ])
  func aFaultIsNamedWithItsLine(text: String, expected: String) throws {
    let faults = Self.read(text).faults
    try #require(faults.count == 1)
    #expect(faults[0].hasPrefix(expected))
  }

  @Test func everyFaultIsNamed() {
    #expect(Self.read("product_id,quantity\na,x\nb,1\nc,y\n,1\n").faults.count == 3)
  }

  @Test func whatIsNotUTF8IsRefused() {
    #expect(StockFile([0xFF, 0xFE]).faults == ["the file is not text in UTF-8"])
  }

  @Test func linesOfProductsAreKept() {
    let file = Self.read("product_id,quantity\n\na,1\n")
    #expect(file.counts.first.map { file.lines[$0.product] } == 3)
  }
}
