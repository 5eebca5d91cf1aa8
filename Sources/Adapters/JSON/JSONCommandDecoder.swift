import Application
import Domain

/// Reads commands off messages: plain JSON, and CloudEvents 1.0 in structured and binary mode.
package struct JSONCommandDecoder: CommandDecoder {
  private let commandsExchange: String
  private let replyTo: ReplyToPolicy
  private let seal: any JourneySeal
  private let authenticator: any SenderAuthenticator
  private let body: CommandBodyReader

  /// `commandsExchange` is the exchange whose routing keys must agree with the types: topic permissions hang on them.
  package init(
    commandsExchange: String, defaultCurrency: Currency, replyTo: ReplyToPolicy, seal: any JourneySeal, authenticator: any SenderAuthenticator
  ) {
    self.commandsExchange = commandsExchange
    self.replyTo = replyTo
    self.seal = seal
    self.authenticator = authenticator
    body = CommandBodyReader(defaultCurrency: defaultCurrency)
  }

  package func decode(_ received: ReceivedMessage) -> DecodedCommand {
    var transport = TransportReader(received)
    let id: MessageID
    let data: CommandData
    do throws(MalformedMessage) {
      (id, data) = try transport.read(received, commandsExchange: commandsExchange)
    } catch {
      return .refused(refusal(.malformed, error.sentence, transport, sender: nil, replay: replay(transport), isAnswered: isVerified(transport)))
    }
    let bodyHash = Fingerprint(of: received.message.body)
    let sender: Sender
    do throws(AuthenticationFault) {
      sender = try self.sender(of: transport, id: id, bodyHash: bodyHash)
    } catch {
      switch error {
      case .keysUnavailable(let sentence): return .keysUnavailable(sentence)
      case .unknownKey(let sentence): return .unknownKey(refusal(.unauthenticated, sentence, transport, sender: nil))
      case .refused(let sentence), .expired(_, let sentence): return .refused(refusal(.unauthenticated, sentence, transport, sender: nil))
      }
    }
    let decoded = read(data, id: id, bodyHash: bodyHash, transport, from: sender)
    if case .refused = decoded, let expired = sender.tokenExpired {
      return .refused(refusal(.unauthenticated, expired, transport, sender: sender, order: order(data)))
    }
    return decoded
  }

  private func read(_ data: CommandData, id: MessageID, bodyHash: Fingerprint, _ transport: TransportReader, from sender: Sender) -> DecodedCommand {
    guard let name = transport.typeName else { return .refused(refusal(.unknownType, "the message names no command type", transport, sender: sender)) }
    guard let type = CommandName.known(name) else { return .refused(refusal(.unknownType, Self.unknown(name), transport, sender: sender)) }
    let identity = CommandIdentity(tenant: sender.principal.tenant, message: id)
    switch body.read(type, in: data.document, body: data.object, event: data.event, derivedOrder: { NameUUID.order(identity) }) {
    case .faults(let faults):
      let others = faults.count > 1 ? " (and \(faults.count - 1) more)" : ""
      let error = (faults.first?.message ?? "the body is invalid") + others
      return .refused(refusal(.invalid, error, transport, sender: sender, faults: faults, order: order(data)))
    case .command(let command):
      let message = transport.message
      return .command(
        CommandEnvelope(
          identity: identity, principal: sender.principal, tokenExpired: sender.tokenExpired, command: command,
          fingerprint: data.event == nil ? bodyHash : Fingerprint(of: data.text), data: data.text,
          correlationID: correlationID(message, id: id.rawValue)!, replyTo: address(message, verified: sender.tokenExpired == nil),
          traceparent: transport.traceparent, journey: sender.journey))
    }
  }

  package func sender(of message: Message) -> Principal? { try? authenticator.authenticate(message) }
  package func keysLookedAt() async { await authenticator.keysLookedAt() }

  private struct Sender {
    let principal: Principal
    /// Why its token is no longer good.
    var tokenExpired: String?
    var journey = Journey()
  }

  /// Where the worker's own seal is there and right, nothing else is looked at; a wrong one is believed in nothing.
  private func sender(of transport: TransportReader, id: MessageID, bodyHash: Fingerprint) throws(AuthenticationFault) -> Sender {
    guard let header = transport.message.header("x-order-principal") else { return try bearer(of: transport.message) }
    guard let text = header.text, let sealed = seal.open(text, messageID: id.rawValue, type: transport.typeName, bodyHash: bodyHash.bytes) else {
      throw .refused("x-order-principal is not the worker's own, or was made for another message")
    }
    if let principal = sealed.principal {
      let expired = sealed.isTokenExpired ? "token_expired: the token had expired when the message first came" : nil
      return Sender(principal: principal, tokenExpired: expired, journey: sealed.journey)
    }
    var sender = try bearer(of: transport.message)
    sender.journey = sealed.journey
    return sender
  }

  private func bearer(of message: Message) throws(AuthenticationFault) -> Sender {
    do throws(AuthenticationFault) {
      return Sender(principal: try authenticator.authenticate(message))
    } catch {
      guard case .expired(let principal, let sentence) = error else { throw error }
      return Sender(principal: principal, tokenExpired: sentence)
    }
  }

  /// Of what cannot be read: whoever shows a good token is answered where verified senders are. A wrong one changes nothing, nor does one that cannot be
  /// looked at now.
  private func isVerified(_ transport: TransportReader) -> Bool {
    if !authenticator.verifies { return true }
    guard transport.message.header("x-order-principal") != nil else { return sender(of: transport.message) != nil }
    return sealed(transport).map { $0.principal != nil && !$0.isTokenExpired } ?? false
  }

  /// A replay that is still malformed returns to its row all the same.
  private func replay(_ transport: TransportReader) -> Journey? { sealed(transport)?.journey }

  private func sealed(_ transport: TransportReader) -> SealedJourney? {
    guard let header = transport.message.header("x-order-principal")?.text else { return nil }
    let message = transport.message
    return seal.open(
      header, messageID: transport.messageID?.rawValue ?? message.messageID, type: transport.typeName, bodyHash: Fingerprint(of: message.body).bytes)
  }

  private func refusal(
    _ reason: DeadLetterReason, _ error: String, _ transport: TransportReader, sender: Sender?, replay: Journey? = nil, isAnswered: Bool? = nil,
    faults: [Fault] = [], order: OrderID? = nil
  ) -> Refusal {
    let id = transport.messageID?.rawValue
    return Refusal(
      reason, error, faults: faults, type: transport.typeName.flatMap { identifierFault($0, longest: 255) == nil ? $0 : nil }, messageID: id,
      correlationID: correlationID(transport.message, id: id),
      replyTo: address(transport.message, verified: isAnswered ?? sender.map { $0.tokenExpired == nil } ?? !authenticator.verifies),
      order: order, traceparent: transport.traceparent, principal: sender?.principal, isTokenExpired: sender?.tokenExpired != nil,
      journey: sender?.journey ?? replay ?? Journey())
  }

  /// Of a body that is not valid as a whole.
  private func order(_ data: CommandData) -> OrderID? {
    data.document.member("order_id", of: data.object).flatMap { $0.kind == .string ? OrderID(data.document.text($0)) : nil }
  }

  private func correlationID(_ message: Message, id: String?) -> String? {
    guard let given = message.correlationID, !given.isEmpty else { return id }
    return given
  }

  private func address(_ message: Message, verified: Bool) -> String? {
    message.replyTo.flatMap { replyTo.allows($0, verifiedSender: verified) ? $0 : nil }
  }

  private static func unknown(_ name: String) -> String {
    "the type \(FieldPlace.shown(name)) is none that this worker knows: \(CommandType.allCases.map(\.rawValue).joined(separator: ", "))"
  }
}
