import CRabbitMQ
import Glibc

/// Frames on their way to the socket: many messages leave in one call of the kernel, and none of them makes the thread wait.
///
/// `amqp_basic_publish` calls the kernel three times a message, and waits inside for a server that does not read, whatever the deadline.
/// While part of a frame waits here, nothing of the library that sends may be called. Confined to its thread.
final class OutgoingFrames {
  private static let usualCapacity = 512 << 10
  private static let frameOverhead = 8
  /// What a method frame of two short strings takes at most.
  private static let methodSize = 600

  private let socket: Int32
  private let tls: TLSSession?
  private let frameMax: Int
  private let arena = Arena()
  private var buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: usualCapacity, alignment: 16)
  private var start = 0
  private var end = 0
  /// How many bytes the kernel has taken since the connection began.
  private(set) var written: UInt64 = 0
  private(set) var lastWrite = ContinuousClock.now

  init(socket: Int32, tls: TLSSession?, frameMax: Int) {
    self.socket = socket
    self.tls = tls
    self.frameMax = frameMax
  }

  deinit { buffer.deallocate() }

  var pending: Int { end - start }
  var isEmpty: Bool { end == start }
  /// Where the next message begins, counted as `written` is.
  var position: UInt64 { written + UInt64(pending) }

  /// Adds a whole message, or nothing of it where it does not fit AMQP's frames.
  func append(_ publication: Publication, channel: amqp_channel_t) throws(AMQPError) {
    arena.reset()
    let exchange = try arena.shortBytes(publication.exchange, "exchange")
    let routingKey = try arena.shortBytes(publication.routingKey, "routing key")
    var properties = try arena.properties(publication.properties)
    let bodyMax = frameMax - Self.frameOverhead
    let bodySize = publication.body.count
    reserve(Self.methodSize + frameMax + bodySize + (bodySize / bodyMax + 1) * Self.frameOverhead)
    let before = end

    let method = begin(UInt8(AMQP_FRAME_METHOD), channel)
    put(Method.basicPublish)
    put(UInt16(0))
    put(exchange)
    put(routingKey)
    put(UInt8(publication.mandatory ? 1 : 0))
    finish(method)

    let header = begin(UInt8(AMQP_FRAME_HEADER), channel)
    put(UInt16(AMQP_BASIC_CLASS))
    put(UInt16(0))
    put(UInt64(bodySize))
    let room = frameMax - Self.frameOverhead - 12
    let size = amqp_encode_properties(UInt16(AMQP_BASIC_CLASS), &properties, amqp_bytes_t(len: room, bytes: buffer.baseAddress! + end))
    guard size >= 0 else {
      end = before
      throw AMQPError(.unencodable, "its headers are more than fit a frame of \(frameMax) bytes")
    }
    end += Int(size)
    finish(header)

    publication.body.withUnsafeBytes { body in
      var rest = body[...]
      while !rest.isEmpty {
        let part = UnsafeRawBufferPointer(rebasing: rest.prefix(bodyMax))
        rest = rest.dropFirst(bodyMax)
        let frame = begin(UInt8(AMQP_FRAME_BODY), channel)
        (buffer.baseAddress! + end).copyMemory(from: part.baseAddress!, byteCount: part.count)
        end += part.count
        finish(frame)
      }
    }
  }

  func appendHeartbeat() {
    reserve(Self.frameOverhead)
    finish(begin(UInt8(AMQP_FRAME_HEARTBEAT), 0))
  }

  /// Gives the kernel what it takes at once.
  func flush() throws(AMQPError) {
    while start < end {
      let count = try send(UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
      if count == 0 { return }
      start += count
      written += UInt64(count)
      lastWrite = .now
    }
    start = 0
    end = 0
    if buffer.count > Self.usualCapacity { replaceBuffer(Self.usualCapacity) }
  }

  /// How many bytes were taken, 0 where there is no room. Of what TLS has not said to have taken, the server can read nothing: a record
  /// counts whole or not at all.
  private func send(_ bytes: UnsafeRawBufferPointer) throws(AMQPError) -> Int {
    if let tls { return try tls.write(bytes.baseAddress!, bytes.count) }
    while true {
      let count = Glibc.send(socket, bytes.baseAddress!, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
      if count > 0 { return count }
      if errno == EAGAIN || errno == EWOULDBLOCK { return 0 }
      if errno != EINTR { throw AMQPError(.connection, "writing to RabbitMQ: \(String(cString: strerror(errno)))") }
    }
  }

  private func reserve(_ size: Int) {
    if buffer.count - end < size { replaceBuffer(max(buffer.count, pending + size)) }
  }

  /// Moves what is pending to the front of another buffer.
  private func replaceBuffer(_ capacity: Int) {
    let new = UnsafeMutableRawBufferPointer.allocate(byteCount: capacity, alignment: 16)
    new.copyMemory(from: UnsafeRawBufferPointer(rebasing: buffer[start..<end]))
    buffer.deallocate()
    buffer = new
    end -= start
    start = 0
  }

  /// The frame's header, its size left open; returns where it is.
  private func begin(_ type: UInt8, _ channel: amqp_channel_t) -> Int {
    let place = end
    put(type)
    put(UInt16(channel))
    put(UInt32(0))
    return place
  }

  private func finish(_ frame: Int) {
    buffer.storeBytes(of: UInt32(end - frame - 7).bigEndian, toByteOffset: frame + 3, as: UInt32.self)
    put(UInt8(AMQP_FRAME_END))
  }

  private func put<T: FixedWidthInteger>(_ value: T) {
    buffer.storeBytes(of: value.bigEndian, toByteOffset: end, as: T.self)
    end += MemoryLayout<T>.size
  }

  private func put(_ text: amqp_bytes_t) {
    put(UInt8(text.len))
    guard let bytes = text.bytes else { return }
    (buffer.baseAddress! + end).copyMemory(from: bytes, byteCount: text.len)
    end += text.len
  }
}
