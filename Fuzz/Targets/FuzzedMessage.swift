import Application
import Domain

@testable import JSONAdapter

/// A message out of an input that people can read: lines of properties and headers, an empty line, the body. An input that begins with `{` is a
/// body alone, of an `order.create`.
///
///     type order.create
///     id 6f1c2d3e-1111-4222-8333-444455556666
///     HS ce-id=7
///     HJ x-any={"a":1}
///     sealed 3
///
///     {"customer_id":"c"}
struct FuzzedMessage {
  private static let mostHeaders = 64
  private static let deepestHeader = 7

  private(set) var message: Message
  private var redelivered = false
  private var exceedsLimits = false
  private var hasInvalidText = false

  init(_ input: [UInt8], exchange: String, type: String) {
    guard input.first != UInt8(ascii: "{") else {
      message = Message(
        exchange: exchange, routingKey: type, contentType: "application/json", type: type, messageID: "m-1", replyTo: "reply.a", body: input)
      return
    }
    message = Message(exchange: exchange, routingKey: type, body: [])
    var seal: UInt8?
    var rest = input[...]
    while !rest.isEmpty {
      let line = rest.prefix { $0 != 0x0A }
      rest = rest.dropFirst(line.count + 1)
      if line.isEmpty { break }
      let word = line.prefix { $0 != 0x20 }
      if word.elementsEqual("sealed".utf8) { seal = line.last } else { take(word, line.dropFirst(word.count + 1)) }
    }
    message.body = Array(rest)
    if let seal { add("x-order-principal", .string(sealed(seal))) }
  }

  var received: ReceivedMessage {
    ReceivedMessage(
      tag: DeliveryTag(generation: 1, number: 1), redelivered: redelivered, message: message, headersExceedLimits: exceedsLimits,
      hasInvalidText: hasInvalidText)
  }

  private mutating func take(_ word: ArraySlice<UInt8>, _ rest: ArraySlice<UInt8>) {
    switch String(decoding: word, as: UTF8.self) {
    case "type": message.type = short(rest)
    case "key": message.routingKey = short(rest)
    case "exchange": message.exchange = short(rest)
    case "id": message.messageID = short(rest)
    case "content": message.contentType = short(rest)
    case "encoding": message.contentEncoding = short(rest)
    case "correlation": message.correlationID = short(rest)
    case "reply": message.replyTo = short(rest)
    case "app": message.appID = short(rest)
    case "timestamp": message.timestamp = UInt64(short(rest))
    case "priority": message.priority = UInt8(short(rest))
    case "redelivered": redelivered = true
    case "limits": exceedsLimits = true
    case let header where header.hasPrefix("H"): take(header: header.utf8.dropFirst().first ?? 0, rest)
    default: break
    }
  }

  private mutating func take(header kind: UInt8, _ rest: ArraySlice<UInt8>) {
    let name = rest.prefix { $0 != UInt8(ascii: "=") }
    let bytes = rest.dropFirst(name.count + 1)
    let text = String(decoding: bytes, as: UTF8.self)
    let value: HeaderValue
    switch kind {
    case UInt8(ascii: "S"): value = text.utf8.elementsEqual(bytes) ? .string(text) : .longBytes(Array(bytes))
    case UInt8(ascii: "x"): value = .bytes(Array(bytes))
    case UInt8(ascii: "t"): value = .bool(text == "1")
    case UInt8(ascii: "b"): value = .int8(Int8(text) ?? .min)
    case UInt8(ascii: "u"): value = .uint16(UInt16(text) ?? .max)
    case UInt8(ascii: "I"): value = .int32(Int32(text) ?? .min)
    case UInt8(ascii: "l"): value = .int64(Int64(text) ?? .min)
    case UInt8(ascii: "L"): value = .uint64(UInt64(text) ?? .max)
    case UInt8(ascii: "f"): value = .float(Float(text) ?? .infinity)
    case UInt8(ascii: "d"): value = .double(Double(text) ?? .nan)
    case UInt8(ascii: "D"): value = .decimal(scale: bytes.first ?? 0, value: UInt32(text) ?? .max)
    case UInt8(ascii: "T"): value = .timestamp(UInt64(text) ?? .max)
    case UInt8(ascii: "J"): value = .table(HeaderJSON.read(Array(bytes)))
    case UInt8(ascii: "A"): value = .array([.table(HeaderJSON.read(Array(bytes)))])
    default: value = .void
    }
    add(short(name), value)
  }

  private mutating func add(_ name: String, _ value: HeaderValue) {
    if message.headers.count < Self.mostHeaders, Self.depth(value) <= Self.deepestHeader {
      message.headers.append(MessageHeader(name, value))
    } else {
      exceedsLimits = true
    }
  }

  private static func depth(_ value: HeaderValue) -> Int {
    switch value {
    case .table(let entries): entries.reduce(1) { max($0, 1 + depth($1.value)) }
    case .array(let values): values.reduce(1) { max($0, 1 + depth($1)) }
    default: 0
    }
  }

  /// As AMQP carries it, and as the client reads it.
  private mutating func short(_ bytes: ArraySlice<UInt8>) -> String {
    let cut = bytes.prefix(255)
    let text = String(decoding: cut, as: UTF8.self)
    if !text.utf8.elementsEqual(cut) { hasInvalidText = true }
    return text
  }

  /// A seal that is right for this message, with what the bits say.
  private func sealed(_ bits: UInt8) -> String {
    let replay = bits & 4 != 0 ? ReplayMark(letter: Fixed.letter, by: "ops") : nil
    return Fixed.seal.seal(
      SealedJourney(
        messageID: message.messageID, type: message.type, bodyHash: Fingerprint(of: message.body).bytes, principal: bits & 1 != 0 ? .anonymous : nil,
        isTokenExpired: bits & 2 != 0, journey: Journey(attempt: Int(bits >> 3), firstFailedAt: bits & 8 != 0 ? Fixed.now : nil, replay: replay)),
      isToBeKept: true)
  }
}
