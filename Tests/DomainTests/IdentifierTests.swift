import Domain
import Testing

@Suite struct IdentifierTests {
  private static let texts: [(String, IdentifierFault?)] = [
    ("a", nil), (" ", nil), ("customer-123", nil), ("ß", nil), ("日本語", nil), ("\u{A0}", nil), ("\u{200B}", nil),
    (String(repeating: "a", count: 128), nil), (String(repeating: "a", count: 129), .tooLong),
    (String(repeating: "😀", count: 128), nil), (String(repeating: "😀", count: 129), .tooLong),
    (String(repeating: "👨‍👩‍👧", count: 25), nil), (String(repeating: "👨‍👩‍👧", count: 26), .tooLong),
    (String(repeating: "e\u{301}", count: 64), nil), (String(repeating: "e\u{301}", count: 65), .tooLong),
    ("", .empty), ("\0", .controlCharacter), ("a\n", .controlCharacter), ("\r\n", .controlCharacter), ("a\tb", .controlCharacter),
    ("\u{1F}", .controlCharacter), ("\u{7F}", .controlCharacter), ("\u{80}", .controlCharacter), ("\u{9F}", .controlCharacter),
  ]

  @Test(arguments: texts)
  func anIdentifierIs1To128CharactersWithoutControl(text: String, fault: IdentifierFault?) {
    #expect(identifierFault(text) == fault)
    #expect((CustomerID(text)?.rawValue == text) == (fault == nil))
    #expect((ProductID(text) != nil) == (fault == nil))
    #expect((MessageID(text) != nil) == (fault == nil))
    #expect((PaymentMethod(text) != nil) == (fault == nil))
  }

  @Test func everyControlCharacterIsRefusedAndNothingElse() {
    for value: UInt32 in 0...0x2FFF {
      guard let scalar = Unicode.Scalar(value) else { continue }
      let isControl = scalar.properties.generalCategory == .control
      #expect((identifierFault(String(Character(scalar))) == .controlCharacter) == isControl, "U+\(String(value, radix: 16))")
    }
  }

  @Test func anAuthorisationsNameMayBeLonger() {
    #expect(AuthorizationID(String(repeating: "a", count: 255)) != nil)
    #expect(AuthorizationID(String(repeating: "a", count: 256)) == nil)
    #expect(AuthorizationID("") == nil)
  }

  /// `String` takes these for equal; PostgreSQL and other workers do not.
  @Test(arguments: [("é", "e\u{301}"), ("K", "\u{212A}"), ("Å", "\u{212B}"), ("a\u{323}\u{307}", "a\u{307}\u{323}"), (";", "\u{37E}")])
  func identifiersOfDifferentBytesAreDifferent(a: String, b: String) throws {
    #expect(a == b)
    let (first, second) = (try #require(MessageID(a)), try #require(MessageID(b)))
    #expect(first != second)
    #expect(second != first)
    #expect(Set([first, second]).count == 2)
    #expect((first < second) != (second < first))
  }

  @Test func identifiersAreOrderedByTheirBytes() {
    let ordered = ["A", "B", "a", "ab", "b", "~", "é", "\u{FFFD}", "😀"]
    #expect(ordered.reversed().compactMap { ProductID($0) }.sorted().map(\.rawValue) == ordered)
    #expect(ProductID("same")! == ProductID("same")!)
    #expect(ProductID("same")! != ProductID("sane")!)
  }

  private static let tenants: [(String, Bool)] = [
    ("default", true), ("a", true), ("0", true), ("a.b_c-d", true), (String(repeating: "a", count: 63), true), ("", false),
    (String(repeating: "a", count: 64), false), ("A", false), ("aB", false), (".a", false), ("-a", false), ("_a", false), ("a/b", false), ("a b", false),
    ("ä", false), ("a\n", false), ("a\0", false), ("\u{212A}", false),
  ]

  @Test(arguments: tenants)
  func aTenantHasOneForm(text: String, good: Bool) {
    #expect((TenantID(text)?.rawValue == text) == good)
  }

  @Test func keysOfTenantsThatShareAnIDAreTwoAndHaveAnOrder() {
    let (a, b) = (TenantID("a")!, TenantID("b")!)
    let (low, high) = (OrderID(high: 1, low: 0), OrderID(high: 2, low: 0))
    let sorted = [OrderKey(tenant: a, order: low), OrderKey(tenant: b, order: low), OrderKey(tenant: a, order: high), OrderKey(tenant: b, order: high)]
    #expect(sorted.reversed().sorted() == sorted && Set(sorted).count == 4)
    let products = [("a", "x"), ("b", "x"), ("a", "y")].map { ProductKey(tenant: TenantID($0.0)!, product: ProductID($0.1)!) }
    #expect(products.reversed().sorted() == products && Set(products).count == 3)
  }
}
