import Domain

/// Tells who sent a message that no worker has sealed.
package protocol SenderAuthenticator: Sendable {
  /// Whether a sender can fail; where not, every sender counts as verified.
  var verifies: Bool { get }
  func authenticate(_ message: Message) throws(AuthenticationFault) -> Principal
  /// Returns after the next permitted look at where the keys come from, whatever that brought; at once where the task is cancelled.
  func keysLookedAt() async
}

/// Why a sender was not believed. The sentences have nothing of the token in them.
package enum AuthenticationFault: Error, Equatable, Sendable {
  case refused(String)
  /// Signed by a good key, and only too old; with who sent it.
  case expired(Principal, String)
  /// Nothing may be wrong but that its key is newer than the last look at the keys.
  case unknownKey(String)
  /// Nobody can be verified now: there are no keys, or too old ones.
  case keysUnavailable(String)

  package var sentence: String {
    switch self {
    case .refused(let sentence), .expired(_, let sentence), .unknownKey(let sentence), .keysUnavailable(let sentence): sentence
    }
  }
}

/// `ORDERS_AUTH=off`: every sender is `anonymous`, with all rights.
package struct OpenAuthenticator: SenderAuthenticator {
  package init() {}
  package var verifies: Bool { false }
  package func authenticate(_ message: Message) throws(AuthenticationFault) -> Principal { .anonymous }
  package func keysLookedAt() async {}
}
