import Domain
import TestSupport
import Testing

@Suite struct UUIDTests {
  @Test func textAndValueAreTheSame() {
    var random = SeededGenerator.forTest("uuid")
    for _ in 0..<2_000 {
      let value = UUIDValue(high: random.next(), low: random.next())
      let text = value.description
      #expect(text.utf8.count == 36)
      #expect(text == text.lowercased())
      #expect(UUIDValue(text) == value)
      #expect(UUIDValue(text.uppercased()) == value)
    }
    #expect(UUIDValue("01234567-89ab-cdef-FEDC-ba9876543210") == UUIDValue(high: 0x0123_4567_89AB_CDEF, low: 0xFEDC_BA98_7654_3210))
    #expect(UUIDValue(high: 0, low: 1).description == "00000000-0000-0000-0000-000000000001")
  }

  @Test(arguments: [
    "", "0123456789abcdeffedcba9876543210", "{01234567-89ab-cdef-fedc-ba9876543210}", "01234567-89ab-cdef-fedc-ba987654321",
    "01234567-89ab-cdef-fedc-ba98765432100", "01234567-89ab-cdef-fedc-ba987654321g", "01234567089ab-cdef-fedc-ba9876543210",
    "012345678-9ab-cdef-fedc-ba9876543210", " 01234567-89ab-cdef-fedc-ba987654321", "01234567-89ab-cdef-fedc-ba98765432１",
    "+1234567-89ab-cdef-fedc-ba9876543210", "01234567-89ab-cdef-fedc-ba987654321\0",
  ])
  func whatIsNoUUIDIsRefused(text: String) {
    #expect(UUIDValue(text) == nil)
  }

  @Test func theOrderIsThatOfTheText() {
    var random = SeededGenerator.forTest("uuid order")
    let values = (0..<500).map { _ in UUIDValue(high: random.next() % 3 << 62 | random.next() % 2, low: random.next()) }
    #expect(values.sorted().map(\.description) == values.map(\.description).sorted())
  }

  @Test func versionsAndVariantAreMarked() {
    // RFC 9562, A.4: the name-based UUID of www.example.com, of the SHA-1 of its name.
    let sha1: [UInt8] = [
      0x2E, 0xD6, 0x65, 0x7D, 0xE9, 0x27, 0x46, 0x8B, 0x55, 0xE1, 0x26, 0x65, 0xA8, 0xAE, 0xA6, 0xA2, 0x2D, 0xEE, 0x3E, 0x35,
    ]
    #expect(UUIDValue(sha1, version: 5).description == "2ed6657d-e927-568b-95e1-2665a8aea6a2")
    #expect(UUIDValue(repeatElement(0xFF, count: 16), version: 4).description == "ffffffff-ffff-4fff-bfff-ffffffffffff")
    var random = SeededGenerator.forTest("uuid random")
    for _ in 0..<200 {
      let text = Array(UUIDValue.random(using: &random).description)
      #expect(text[14] == "4" && "89ab".contains(text[19]))
    }
  }
}
