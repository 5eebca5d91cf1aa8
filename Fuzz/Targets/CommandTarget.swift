import Application
import Domain

@testable import JSONAdapter

/// A command's message: what is taken keeps within the contract's limits and can be said again; what is refused can be answered and dead-lettered.
enum CommandTarget {
  static func run(_ input: [UInt8]) {
    let received = FuzzedMessage(input, exchange: Fixed.commands, type: "order.create").received
    switch (Fixed.decoder.decode(received), Fixed.decoder.decode(received)) {
    case (.command(let envelope), .command(let again)):
      expect(same(envelope, again), "the second decoding differs")
      check(envelope, received)
    case (.refused(let refusal), .refused(let again)):
      expect(same(refusal, again), "the second refusal differs")
      check(refusal)
    default: fatalError("the second decoding ends otherwise, or asks for keys that there are none of")
    }
  }

  private static func check(_ envelope: CommandEnvelope, _ received: ReceivedMessage) {
    let id = envelope.identity.message.rawValue
    expect(identifierFault(id) == nil, "the message's id is out of its limits")
    expect(TenantID(envelope.identity.tenant.rawValue) != nil, "the tenant is none")
    expect(!received.headersExceedLimits && !received.hasInvalidText, "a message beyond the limits was taken")
    expect(received.message.body.count <= 262_144, "a body of more than 256 KiB was taken")
    expect(!envelope.correlationID.utf8.contains(0) && !envelope.correlationID.isEmpty, "the correlation id cannot be stored")
    expect(envelope.replyTo.map { Fixed.replyTo.allows($0) } ?? true, "a reply would go where none may")
    expect((0...Int(Int32.max)).contains(envelope.journey.attempt), "the attempts are none")
    let type = envelope.command.type
    let body = expected(try? JSONParser.parse(envelope.data), "the data is not JSON")
    expect(!body.hasNullCharacter, "U+0000 came through")
    check(envelope.command)

    // The data alone is the same command, and so is the worker's own way of writing it, but for the method.
    let order = envelope.command.order
    expect(read(type, body, order) == envelope.command, "the data alone is another command")
    let written = Fixed.encoder.command(envelope.command)
    let again = expected(read(type, expected(try? JSONParser.parse(written), "a command is written as no JSON"), order), "a command is written as none")
    expect(equal(again, envelope.command), "a command is written as another")
  }

  private static func check(_ command: Command) {
    guard case .create(let create) = command else {
      expect((command.reason?.unicodeScalars.count ?? 0) <= 1_024, "a reason is too long")
      return
    }
    expect((1...200).contains(create.lines.count) && create.metadata.count <= 50, "too many lines or pairs, or none")
    expect(Set(create.lines.map(\.product)).count == create.lines.count, "a product comes twice")
    expect(create.lines.allSatisfy { Quantity.range.contains($0.quantity.value) && $0.unitPrice.minorUnits >= 0 }, "a quantity or price is none")
    expect(create.total.minorUnits >= 0, "the total has overflown")
    expect(Set(create.metadata.map { Array($0.key.utf8) }).count == create.metadata.count, "a key comes twice")
    expect(create.metadata.allSatisfy { $0.key.unicodeScalars.count <= 64 && $0.value.unicodeScalars.count <= 1_024 }, "a pair is too long")
  }

  private static func read(_ type: CommandType, _ document: JSONDocument, _ order: OrderID) -> Command? {
    let reader = CommandBodyReader(defaultCurrency: Fixed.currency)
    guard case .command(let command) = reader.read(type, in: document, body: document.root, derivedOrder: { order }) else { return nil }
    return command
  }

  private static func equal(_ a: Command, _ b: Command) -> Bool {
    switch (a, b) {
    case (.create(let a), .create(let b)):
      a.order == b.order && a.customer == b.customer && a.lines == b.lines && a.total == b.total && a.confirm == b.confirm && a.metadata == b.metadata
    case (.updateStatus(let a), .updateStatus(let b)):
      a.order == b.order && a.status == b.status && a.reason == b.reason && a.expectedVersion == b.expectedVersion
    default: false
    }
  }

  private static func check(_ refusal: Refusal) {
    expect(!refusal.error.isEmpty && refusal.error.utf8.count < 4_096, "the refusal says nothing, or too much")
    expect(refusal.reason == .invalid ? !refusal.faults.isEmpty : refusal.faults.isEmpty, "faults stand where they should not, or are missing")
    expect(refusal.messageID.map { identifierFault($0) == nil } ?? true, "an id that is none was kept")
    expect(refusal.type.map { identifierFault($0, longest: 255) == nil } ?? true, "a type that is none was kept")
    expect(refusal.replyTo.map { Fixed.replyTo.allows($0, verifiedSender: false) || Fixed.replyTo.allows($0) } ?? true, "an answer would go where none may")
    let reply = Fixed.encoder.reply(.deadLettered(refusal.reason, error: refusal.error, faults: refusal.faults), messageID: refusal.messageID)
    expect(Fixed.isObject(reply), "the answer is no JSON")
  }

  private static func same(_ a: CommandEnvelope, _ b: CommandEnvelope) -> Bool {
    a.identity == b.identity && a.principal == b.principal && a.command == b.command && a.fingerprint == b.fingerprint && a.data == b.data
      && a.correlationID == b.correlationID && a.replyTo == b.replyTo && a.traceparent == b.traceparent && a.journey == b.journey
      && a.tokenExpired == b.tokenExpired
  }

  private static func same(_ a: Refusal, _ b: Refusal) -> Bool {
    a.reason == b.reason && a.error == b.error && a.faults == b.faults && a.type == b.type && a.messageID == b.messageID && a.order == b.order
      && a.correlationID == b.correlationID && a.replyTo == b.replyTo && a.traceparent == b.traceparent && a.principal == b.principal
      && a.journey == b.journey
  }
}
