import Dispatch
import Synchronization

@testable import JWTAdapter

/// A JWK Set as some issuer gives it out: the same keys each time, or refused.
enum KeysTarget {
  private final class Answer: Sendable {
    let ids = Mutex<[String?]?>(nil)
    let isThere = DispatchSemaphore(value: 0)
  }

  static func run(_ input: [UInt8]) {
    let first = ids(input)
    expect(first == ids(input), "the second look at keys finds others")
    if let first { expect((1...100).contains(first.count), "\(first.count) keys were taken") }
  }

  /// Nil where the set is refused.
  private static func ids(_ input: [UInt8]) -> [String?]? {
    let answer = Answer()
    Task.detached {
      let keys = try? await KeySet(jwks: input, secret: nil).keys
      answer.ids.withLock { $0 = keys?.map(\.id) }
      answer.isThere.signal()
    }
    answer.isThere.wait()
    return answer.ids.withLock(\.self)
  }
}
