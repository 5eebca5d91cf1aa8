/// Why a text is no JSON that the worker takes, and where.
package struct JSONSyntaxError: Error, Equatable, Sendable {
  /// Bytes before the fault.
  package let offset: Int
  /// What was found or missing there; holds nothing of the text.
  package let reason: String

  package var sentence: String { "\(reason) at byte \(offset)" }
}
