import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport

/// The server's side of AMQP 0-9-1 as far as the clients use it, for what a real broker does only when it is in trouble.
final class ScriptedBroker: Sendable {
  /// One connection; answers what a client asks in the usual way.
  struct Peer: Sendable {
    let descriptor: Int32
    /// Counts connections from 1.
    let number: Int
    /// How often a channel was opened on it.
    let channels: Int

    func send(_ method: UInt32, _ arguments: [UInt8] = [], channel: UInt16 = 1) { frame(1, channel, bytes(method) + arguments) }

    func frame(_ type: UInt8, _ channel: UInt16, _ payload: [UInt8]) {
      let all = [type] + bytes(channel) + bytes(UInt32(payload.count)) + payload + [0xCE]
      var rest = all[...]
      while !rest.isEmpty {
        let count = rest.withUnsafeBytes { Glibc.send(descriptor, $0.baseAddress!, $0.count, Int32(MSG_NOSIGNAL)) }
        if count <= 0 { return }
        rest = rest.dropFirst(count)
      }
    }

    /// A delivery with these bytes as its properties: flags and what they announce.
    func deliver(tag: UInt64, properties: [UInt8], body: [UInt8]) {
      send(0x003C_003C, shortString("consumer") + bytes(tag) + [0] + shortString("") + shortString("q"))
      frame(2, 1, bytes(UInt16(60)) + bytes(UInt16(0)) + bytes(UInt64(body.count)) + properties)
      if !body.isEmpty { frame(3, 1, body) }
    }
  }

  let port: UInt16
  private let listener: Int32
  private let heartbeat: UInt16
  private let ready: @Sendable () -> UInt32
  private let onMethod: @Sendable (UInt32, Peer) -> Void
  private let state = Locked((connections: 0, descriptors: [Int32](), isClosed: false))

  /// - Parameters:
  ///   - ready: how many messages it says wait in its queue.
  ///   - onMethod: called for each method that a client sends after the handshake, once it was answered.
  init(heartbeat: UInt16 = 0, ready: @escaping @Sendable () -> UInt32 = { 0 }, onMethod: @escaping @Sendable (UInt32, Peer) -> Void) {
    self.heartbeat = heartbeat
    self.ready = ready
    self.onMethod = onMethod
    (listener, port) = listenOnLoopback()
    _ = DedicatedThread(name: "broker", stackSize: 256 << 10) { [self] in
      while true {
        let descriptor = accept(listener, nil, nil)
        let number = state.withLock { state -> Int? in
          if state.isClosed || descriptor < 0 { return nil }
          state.connections += 1
          state.descriptors.append(descriptor)
          return state.connections
        }
        guard let number else { return }
        _ = DedicatedThread(name: "broker-peer", stackSize: 512 << 10) { self.serve(descriptor, number) }
      }
    }
  }

  var connections: Int { state.withLock(\.connections) }

  func configuration(heartbeat: Duration = .seconds(1)) throws -> ConnectionConfiguration {
    try ConnectionConfiguration(url: "amqp://u:p@127.0.0.1:\(port)", name: "scripted", heartbeat: heartbeat, connectTimeout: .seconds(5))
  }

  func close() {
    let descriptors = state.withLock { state in
      state.isClosed = true
      return state.descriptors
    }
    shutdown(listener, Int32(SHUT_RDWR))
    for descriptor in descriptors { shutdown(descriptor, Int32(SHUT_RDWR)) }
  }

  private func serve(_ descriptor: Int32, _ number: Int) {
    var channels = 0
    func peer() -> Peer { Peer(descriptor: descriptor, number: number, channels: channels) }
    guard readExactly(descriptor, 8) != nil else { return }
    let properties = shortString("product") + [UInt8(ascii: "S")] + longString("Scripted")
    peer().send(0x000A_000A, [0, 9] + bytes(UInt32(properties.count)) + properties + longString("PLAIN") + longString("en_US"), channel: 0)
    while let head = readExactly(descriptor, 7), let rest = readExactly(descriptor, Int(number32(head[3...])) + 1) {
      guard head[0] == 1 else { continue }
      let method = number32(rest)
      switch method {
      case 0x000A_000B: peer().send(0x000A_001E, bytes(UInt16(16)) + bytes(UInt32(131_072)) + bytes(heartbeat), channel: 0)
      case 0x000A_0028: peer().send(0x000A_0029, [0], channel: 0)
      case 0x000A_0032: peer().send(0x000A_0033, channel: 0)
      case 0x0014_000A:
        channels += 1
        peer().send(0x0014_000B, bytes(UInt32(0)))
      case 0x0014_0028: peer().send(0x0014_0029)
      case 0x0032_000A: peer().send(0x0032_000B, shortString("q") + bytes(ready()) + bytes(UInt32(0)))
      case 0x003C_000A: peer().send(0x003C_000B)
      case 0x003C_0014: peer().send(0x003C_0015, shortString("consumer"))
      case 0x003C_001E: peer().send(0x003C_001F, shortString("consumer"))
      case 0x0055_000A: peer().send(0x0055_000B)
      default: break
      }
      onMethod(method, peer())
    }
  }

  private func readExactly(_ descriptor: Int32, _ count: Int) -> [UInt8]? {
    var all = [UInt8](repeating: 0, count: count)
    var filled = 0
    while filled < count {
      let some = all.withUnsafeMutableBytes { read(descriptor, $0.baseAddress! + filled, count - filled) }
      if some <= 0 { return nil }
      filled += some
    }
    return all
  }
}

func bytes<T: FixedWidthInteger>(_ value: T) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
func shortString(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + text.utf8 }
func longString(_ text: String) -> [UInt8] { bytes(UInt32(text.utf8.count)) + text.utf8 }
private func number32(_ bytes: some Collection<UInt8>) -> UInt32 { bytes.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
