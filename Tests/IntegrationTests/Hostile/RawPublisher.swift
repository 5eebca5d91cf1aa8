import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport

/// A message whose properties are bytes that no honest client would send.
struct RawMessage: Sendable {
  var exchange: [UInt8]
  var routingKey: [UInt8]
  /// The properties in AMQP's order, by the bits of the header frame's flags.
  var short: [Bit: [UInt8]] = [:]
  /// The encoded entries of the header table.
  var headers: [UInt8] = []
  var body: [UInt8]

  enum Bit: UInt16, CaseIterable {
    case contentType = 15
    case headers = 13
    case correlationID = 10
    case replyTo = 9
    case messageID = 7
    case type = 5
  }

  fileprivate var properties: [UInt8] {
    var flags: UInt16 = 1 << Bit.headers.rawValue
    var values: [UInt8] = []
    for bit in Bit.allCases {
      if bit == .headers {
        values += bigEndian(UInt32(headers.count)) + headers
      } else if let text = short[bit] {
        flags |= 1 << bit.rawValue
        values += shortString(text)
      }
    }
    return bigEndian(flags) + values
  }
}

/// Publishes bytes over a socket, one frame after the other, without a client library that could refuse them or recurse.
enum RawPublisher {
  struct Failure: Error {
    let action: String
  }

  /// Returns when the broker has confirmed all of them.
  static func publish(_ messages: [RawMessage]) async throws {
    let configuration = try ConnectionConfiguration(url: Stack.amqpURL, name: "raw")
    let port = UInt16(configuration.hosts[0].port)
    let virtualHost = configuration.virtualHost
    let login = credentials(of: Stack.amqpURL)
    let result: Result<Void, Failure> = await withCheckedContinuation { continuation in
      _ = DedicatedThread(name: "raw-publisher", stackSize: 1 << 20) {
        let connection = RawConnection(port: port)
        continuation.resume(
          returning: Result { () throws(Failure) in
            try connection.logIn(login, virtualHost: virtualHost)
            for message in messages { try connection.publish(message) }
          })
        connection.close()
      }
    }
    try result.get()
  }

  private static func credentials(of url: String) -> [UInt8] {
    let name = url.split(separator: "//")[1].split(separator: "@")[0].split(separator: ":")
    return [0] + Array(name[0].utf8) + [0] + Array(name[1].utf8)
  }
}

/// As much of AMQP 0-9-1 as publishing with confirms takes. Confined to its thread.
private struct RawConnection {
  private let socket: Int32
  init(port: UInt16) {
    socket = connectToLoopback(port)
    var limit = timeval(tv_sec: 20, tv_usec: 0)
    setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
  }

  func close() { Glibc.close(socket) }

  func logIn(_ login: [UInt8], virtualHost: String) throws(RawPublisher.Failure) {
    send(Array("AMQP".utf8) + [0, 0, 9, 1])
    try expect(0x000A_000A)
    method(0x000A_000B, bigEndian(UInt32(0)) + shortString(Array("PLAIN".utf8)) + longString(login) + shortString(Array("en_US".utf8)), channel: 0)
    try expect(0x000A_001E)
    method(0x000A_001F, bigEndian(UInt16(16)) + bigEndian(UInt32(131_072)) + bigEndian(UInt16(0)), channel: 0)
    method(0x000A_0028, shortString(Array(virtualHost.utf8)) + [0, 0], channel: 0)
    try expect(0x000A_0029)
    method(0x0014_000A, [0])
    try expect(0x0014_000B)
    method(0x0055_000A, [0])
    try expect(0x0055_000B)
  }

  func publish(_ message: RawMessage) throws(RawPublisher.Failure) {
    method(0x003C_0028, [0, 0] + shortString(message.exchange) + shortString(message.routingKey) + [0])
    frame(2, bigEndian(UInt16(60)) + [0, 0] + bigEndian(UInt64(message.body.count)) + message.properties)
    if !message.body.isEmpty { frame(3, message.body) }
    try expect(0x003C_0050)
  }

  private func method(_ number: UInt32, _ arguments: [UInt8], channel: UInt16 = 1) { frame(1, bigEndian(number) + arguments, channel: channel) }

  private func frame(_ type: UInt8, _ payload: [UInt8], channel: UInt16 = 1) {
    send([type] + bigEndian(channel) + bigEndian(UInt32(payload.count)) + payload + [0xCE])
  }

  private func send(_ bytes: [UInt8]) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let count = rest.withUnsafeBytes { Glibc.send(socket, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
      if count <= 0 { return }
      rest = rest.dropFirst(count)
    }
  }

  private func expect(_ number: UInt32) throws(RawPublisher.Failure) {
    guard let head = receive(7), let rest = receive(Int(decode(head[3..<7])) + 1), head[0] == 1, decode(rest[0..<4]) == number else {
      throw RawPublisher.Failure(action: "method \(String(number, radix: 16)) did not come")
    }
  }

  private func receive(_ count: Int) -> [UInt8]? {
    var all = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let some = all.withUnsafeMutableBytes { read(socket, $0.baseAddress! + filled, count - filled) }
      if some <= 0 { return nil }
      filled += some
    }
    return all
  }
}

private func bigEndian<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
private func longString(_ text: [UInt8]) -> [UInt8] { bigEndian(UInt32(text.count)) + text }
private func shortString(_ text: [UInt8]) -> [UInt8] { [UInt8(text.count)] + text }
private func decode(_ bytes: ArraySlice<UInt8>) -> UInt32 { bytes.reduce(0) { $0 << 8 | UInt32($1) } }

extension RawMessage {
  /// An entry of a header table whose value is a long string.
  static func entry(_ name: [UInt8], text: [UInt8]) -> [UInt8] { shortString(name) + [UInt8(ascii: "S")] + longString(text) }

  /// An entry whose value is this many tables, or arrays, one in the other.
  static func nest(_ kind: UInt8, levels: Int) -> [UInt8] {
    let perLevel = kind == UInt8(ascii: "F") ? 6 : 5
    var nested = shortString(Array("deep".utf8))
    for inner in (0..<levels).reversed() {
      // Within a table each value has a name, here an empty one; the outermost has its own.
      if kind == UInt8(ascii: "F"), inner < levels - 1 { nested.append(0) }
      nested += [kind] + bigEndian(UInt32(inner * perLevel))
    }
    return nested
  }
}
