import Application
import Domain

/// Judges messages without any server, by the very code that reads them in `run`.
package struct MessageValidator: Sendable {
  package struct Verdict: Sendable, Equatable {
    /// The contract's word for what is wrong; nil where nothing is.
    package let reason: DeadLetterReason?
    /// Every fault of the body; of a message that has no body to look at, one sentence on the whole.
    package let errors: [Finding]

    package var isValid: Bool { reason == nil }
    static let valid = Verdict(reason: nil, errors: [])

    package static func refused(_ reason: DeadLetterReason, _ sentence: String) -> Verdict {
      Verdict(reason: reason, errors: [Finding(path: "", code: reason.rawValue, message: sentence)])
    }
  }

  package struct Finding: Sendable, Equatable {
    /// The field's place in the body, empty for the message as a whole.
    package let path: String
    package let code: String
    package let message: String
  }

  /// A message of the deepest level allowed has the line's own level around it; more is the message's own fault, and is told as such.
  private static let levelsOfLine = 2 * JSONParser.deepestLevel
  private let commands: JSONCommandDecoder

  /// `defaultCurrency` is that of an `order.create` that names none.
  package init(defaultCurrency: Currency) {
    commands = JSONCommandDecoder(
      commandsExchange: "commands", defaultCurrency: defaultCurrency, replyTo: ReplyToPolicy(ownPrefix: ""),
      seal: UnsignedJourneySeal(), authenticator: OpenAuthenticator())
  }

  /// `line` is JSON: `{"type": …, "body": …}`.
  package func verdict(ofLine line: [UInt8]) -> Verdict {
    let document: JSONDocument
    do throws(JSONSyntaxError) {
      document = try JSONParser.parse(line, levels: Self.levelsOfLine)
    } catch {
      return .refused(.malformed, "the line is not JSON that can be taken: \(error.sentence)")
    }
    guard document.root.kind == .object else { return .refused(.malformed, "the line must be a JSON object with type and body") }
    guard let body = document.member("body", of: document.root), body.kind == .object else {
      return .refused(.malformed, "the body must be a JSON object")
    }
    let type = document.field("type", of: document.root)
    if let type, type.kind != .string { return .refused(.malformed, "the type must be a string") }
    return verdict(type: type.map(document.text), body: Array(document.source(body)))
  }

  private func verdict(type: String?, body: [UInt8]) -> Verdict {
    if let type, let query = CommandName.query(type) { return verdict(query, body: body) }
    // By the default exchange there is no routing key that the type must agree with.
    let message = Message(exchange: "", routingKey: "", type: type, messageID: "validate", body: body)
    switch commands.decode(ReceivedMessage(tag: DeliveryTag(generation: 0, number: 0), redelivered: false, message: message)) {
    case .command: return .valid
    case .keysUnavailable: preconditionFailure("nobody is verified here")
    case .refused(let refusal), .unknownKey(let refusal):
      guard !refusal.faults.isEmpty else { return .refused(refusal.reason, refusal.error) }
      return Verdict(
        reason: refusal.reason, errors: refusal.faults.map { Finding(path: $0.path, code: $0.code.rawValue, message: $0.message) })
    }
  }

  private func verdict(_ type: QueryType, body: [UInt8]) -> Verdict {
    let document: JSONDocument
    do throws(MalformedMessage) {
      document = try TransportReader.parse(body, "the body")
    } catch {
      return .refused(.malformed, error.sentence)
    }
    guard case .failure(let refusal) = QueryBodyReader.read(type, in: document, body: document.root, tenant: .standard) else { return .valid }
    return Verdict(reason: .invalid, errors: refusal.faults.map { Finding(path: $0.path, code: $0.code.rawValue, message: $0.message) })
  }
}
