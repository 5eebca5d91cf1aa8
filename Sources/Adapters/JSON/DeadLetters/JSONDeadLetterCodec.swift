import Application
import Domain

/// Reads dead letters off messages, and makes messages of them again.
package struct JSONDeadLetterCodec: DeadLetterCodec {
  /// Of a message over the largest body so much is kept.
  static let keptOfLargest = 4_096

  let commandsExchange: String
  package let seal: any JourneySeal
  let authenticator: any SenderAuthenticator

  package init(commandsExchange: String, seal: any JourneySeal, authenticator: any SenderAuthenticator) {
    self.commandsExchange = commandsExchange
    self.seal = seal
    self.authenticator = authenticator
  }

  package func read(_ received: ReceivedMessage, at now: Timestamp) -> DeadLetterArrival {
    let origin = DeadLetterOrigin(received.message)
    let message = origin.message
    let bodyHash = Fingerprint(of: message.body)
    // What may have killed workers shall not kill this one: its body is left unread.
    let contents = CommandContents(message, received, commandsExchange: commandsExchange, readsBody: origin.reason != .deliveryLimit)
    let sealed = message.header("x-order-principal")?.text.flatMap {
      seal.open($0, messageID: contents.messageID, type: message.type ?? contents.typeName, bodyHash: bodyHash.bytes)
    }
    let (principal, isTokenExpired) = sender(sealed, origin)
    let replay = sealed?.journey.replay
    let tenant = replay?.letter.tenant ?? principal?.tenant ?? .standard
    let id = replay?.letter.id ?? NameUUID.deadLetter(messageID: contents.messageID, bodyHash: bodyHash, subject: principal?.subject)
    let attempts = max(sealed?.journey.attempt ?? origin.attempts ?? 1, 1)
    let failedAt = origin.failedAt ?? now
    let error = HeaderJSON.storable(origin.error)
    let command = contents.typeName.flatMap(CommandName.known)
    let fingerprint = contents.fingerprint(ofBody: bodyHash)
    let letter = DeadLetter(
      key: DeadLetterKey(tenant: tenant, id: id), messageID: contents.messageID.map(HeaderJSON.storable),
      type: contents.typeName.map(HeaderJSON.storable), order: contents.order(of: command, tenant: tenant), reason: origin.reason, error: error,
      attempts: attempts, body: message.body.count > TransportReader.largestBody ? Array(message.body.prefix(Self.keptOfLargest)) : message.body,
      bodySize: message.body.count, bodyHash: bodyHash, headers: HeaderJSON.write(message.headers.filter { !Self.isSecret($0.name) }),
      properties: MessagePropertiesJSON.write(message), principal: principal, isTokenExpired: isTokenExpired, command: command,
      mark: principal.flatMap { principal in fingerprint.map { ClaimMark(subject: principal.subject, fingerprint: $0) } },
      history: [
        DeadLetterEvent(
          at: failedAt, what: "\(DeadLetterEvent.failure(isReplay: replay != nil)) as \(origin.reason.rawValue): \(error)",
          actor: origin.worker.map(HeaderJSON.storable) ?? "RabbitMQ")
      ], firstFailedAt: min(sealed?.journey.firstFailedAt ?? origin.firstFailedAt ?? failedAt, failedAt), failedAt: failedAt)
    return DeadLetterArrival(
      letter: letter, isDated: origin.failedAt != nil, correlationID: message.correlationID.map(HeaderJSON.storable), traceparent: contents.traceparent)
  }

  /// What the broker dead-lettered may have been seen by no worker: it has its sender's token still.
  private func sender(_ sealed: SealedJourney?, _ origin: DeadLetterOrigin) -> (principal: Principal?, isTokenExpired: Bool) {
    if let principal = sealed?.principal { return (principal, sealed?.isTokenExpired ?? false) }
    guard origin.isBrokers else { return (nil, false) }
    do throws(AuthenticationFault) {
      return (try authenticator.authenticate(origin.message), false)
    } catch {
      if case .expired(let principal, _) = error { return (principal, true) }
      return (nil, false)
    }
  }

  package func replay(_ letter: DeadLetter, body: [UInt8], under principal: Principal, mark: ReplayMark) -> ReplayMessage {
    var message = MessagePropertiesJSON.read(letter.properties, body: body)
    // Topic permissions hang on the routing key that it came by; what came by a queue's name goes by one again.
    if message.exchange != commandsExchange { (message.exchange, message.routingKey) = ("", commandsExchange) }
    message.messageID = letter.commandID
    message.type = letter.type
    message.headers = HeaderJSON.read(letter.headers).filter { !Forwarding.isWorkers($0.name) }
    let bodyHash = Fingerprint(of: body)
    let contents = CommandContents(
      message, ReceivedMessage(tag: DeliveryTag(generation: 0, number: 0), redelivered: false, message: message), commandsExchange: commandsExchange)
    let sealed = SealedJourney(
      messageID: contents.messageID, type: contents.typeName, bodyHash: bodyHash.bytes, principal: principal, journey: Journey(replay: mark))
    message.headers.append(MessageHeader("x-order-principal", .string(seal.seal(sealed, isToBeKept: false))))
    return ReplayMessage(message: message, mark: contents.fingerprint(ofBody: bodyHash).map { ClaimMark(subject: principal.subject, fingerprint: $0) })
  }

  /// The token, and the seal, which is as good as one.
  private static func isSecret(_ header: String) -> Bool { header == "x-order-principal" || header.lowercased() == "authorization" }
}

/// What can be read of a message that may be a command, and may be anything.
struct CommandContents {
  let messageID: String?
  let typeName: String?
  let traceparent: String?
  /// Nil where the message is malformed, or was not read.
  let data: CommandData?
  private let isUnread: Bool

  init(_ message: Message, _ received: ReceivedMessage, commandsExchange: String, readsBody: Bool = true) {
    let asSent = ReceivedMessage(
      tag: received.tag, redelivered: received.redelivered, message: message, headersExceedLimits: received.headersExceedLimits,
      hasInvalidText: received.hasInvalidText)
    var transport = TransportReader(asSent)
    data = readsBody ? try? transport.readData(asSent, exchange: commandsExchange) : nil
    isUnread = !readsBody
    messageID = transport.messageID?.rawValue ?? message.messageID
    typeName = transport.typeName
    traceparent = transport.traceparent
  }

  /// Of what the command's claim is made over; of an unread message the body, which it is unless the command is a CloudEvent's data.
  func fingerprint(ofBody hash: Fingerprint) -> Fingerprint? {
    if let data { return data.event == nil ? hash : Fingerprint(of: data.text) }
    return isUnread ? hash : nil
  }

  /// The order that the command names, or would make.
  func order(of command: CommandType?, tenant: TenantID) -> OrderID? {
    guard let data else { return nil }
    if let node = data.document.field("order_id", of: data.object) { return node.kind == .string ? OrderID(data.document.text(node)) : nil }
    guard command == .create, let id = messageID.flatMap(MessageID.init) else { return nil }
    return NameUUID.order(CommandIdentity(tenant: tenant, message: id))
  }
}
