import Application
import Domain

/// Tells who sent a message that no worker has sealed.
package protocol SenderAuthenticator: Sendable {
  /// Whether a sender can fail; where not, every sender counts as verified.
  var verifies: Bool { get }
  func authenticate(_ message: Message) throws(AuthenticationFault) -> Principal
}

/// Why a sender was not believed.
package struct AuthenticationFault: Error, Equatable, Sendable {
  /// A sentence without anything of the token.
  package let sentence: String
  package init(_ sentence: String) { self.sentence = sentence }
}

/// `ORDERS_AUTH=off`: every sender is `anonymous`, with all rights.
package struct OpenAuthenticator: SenderAuthenticator {
  package init() {}
  package var verifies: Bool { false }
  package func authenticate(_ message: Message) throws(AuthenticationFault) -> Principal { .anonymous }
}
