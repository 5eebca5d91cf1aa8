import Application
import Domain
import TestSupport

/// Reads dead letters off `PlainCodec`'s messages, and makes such messages of them again.
struct SimulatedLetterCodec: DeadLetterCodec {
  static let commands = "orders.commands"

  static func key(of message: Message) -> DeadLetterKey {
    if let replay = replay(of: message) { return replay.letter }
    let id = Array((message.messageID ?? "").utf8) + [0] + message.body
    return DeadLetterKey(tenant: .standard, id: UUIDValue(high: id.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }, low: 7))
  }

  static func replay(of message: Message) -> ReplayMark? {
    message.header("x-order-principal")?.text.flatMap { PlainCodec().open($0, messageID: nil, type: nil, bodyHash: []) }?.journey.replay
  }

  func read(_ received: ReceivedMessage, at now: Timestamp) -> DeadLetterArrival {
    let message = received.message
    let isVerified = message.header("x-order-principal") != nil
    let failedAt = message.header("x-failed-at")?.text.flatMap { Timestamp($0) } ?? now
    let mark = ClaimMark(subject: Principal.anonymous.subject, fingerprint: Fingerprint(message.body))
    let letter = DeadLetter(
      key: Self.key(of: message), messageID: message.messageID, type: message.type, order: nil,
      reason: message.header("x-reason")?.text.flatMap { DeadLetterReason(rawValue: $0) } ?? .malformed, error: "", attempts: 1, body: message.body,
      bodySize: message.body.count, bodyHash: Fingerprint(message.body), headers: [], properties: Array((message.replyTo ?? "").utf8),
      principal: isVerified ? .anonymous : nil, command: message.type.flatMap { CommandType(rawValue: $0) }, mark: isVerified ? mark : nil, history: [],
      firstFailedAt: failedAt, failedAt: failedAt)
    return DeadLetterArrival(letter: letter, isDated: true)
  }

  func replay(_ letter: DeadLetter, body: [UInt8], under principal: Principal, mark: ReplayMark) -> ReplayMessage {
    let sealed = SealedJourney(messageID: nil, type: nil, bodyHash: [], principal: principal, journey: Journey(replay: mark))
    var message = Message(exchange: "", routingKey: Self.commands, messageID: letter.commandID, body: body)
    message.correlationID = letter.commandID
    message.type = letter.type
    message.replyTo = letter.properties.isEmpty ? nil : String(decoding: letter.properties, as: UTF8.self)
    message.headers.append(MessageHeader("x-order-principal", .string(PlainCodec().seal(sealed, isToBeKept: false))))
    return ReplayMessage(message: message, mark: letter.mark)
  }
}
