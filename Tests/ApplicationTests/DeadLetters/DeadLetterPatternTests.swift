import Application
import Testing

@Suite struct DeadLetterPatternTests {
  @Test(arguments: [
    ("customer_id must be a string", "customer_id must be a string"), ("message_id m-22 was used before", "message_id … was used before"),
    ("ERROR P0001: the customer c-17 is refused", "ERROR P0001: the customer … is refused"), ("ERROR 22001: x1", "ERROR 22001: …"),
    ("", ""), ("7", "…"), ("no ERROR P0001", "no ERROR …"),
  ])
  func whatErrorsOfOneKindHaveInCommon(error: String, pattern: String) { #expect(DeadLetter.pattern(of: error) == pattern) }
}
