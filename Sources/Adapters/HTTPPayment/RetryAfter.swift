import ClientRuntime
import Domain

/// The header `Retry-After`: seconds, or a date as RFC 9110 prefers it (`Sun, 06 Nov 1994 08:49:37 GMT`).
enum RetryAfter {
  /// However long a provider asks to be left alone, it is asked again by then: a clock that is wrong must not stop payments.
  static let longest = Duration.seconds(30)
  /// Where it says nothing that can be read.
  static let standard = Duration.seconds(1)

  static func read(_ text: String?, now: Timestamp) -> Duration {
    guard let text else { return standard }
    if !text.isEmpty, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Int64(text).map { min(.seconds($0), longest) } ?? longest }
    guard let seconds = HTTPDate.seconds(text) else { return standard }
    return min(max(.microseconds(seconds * 1_000_000 - now.microseconds), .zero), longest)
  }
}
