import CRabbitMQ

/// Memory for the C structures of one publication, taken piece by piece and all given back at once. Confined to its thread.
final class Arena {
  private var blocks: [UnsafeMutableRawBufferPointer] = []
  private var block = 0
  private var used = 0
  private static let blockSize = 64 << 10

  deinit { for block in blocks { block.deallocate() } }

  func reset() {
    block = 0
    used = 0
    // A giant message's block is not kept.
    while blocks.count > 1 { blocks.removeLast().deallocate() }
  }

  func allocate(_ size: Int, alignment: Int = 16) -> UnsafeMutableRawPointer {
    let start = (used + alignment - 1) & ~(alignment - 1)
    if block < blocks.count, start + size <= blocks[block].count {
      used = start + size
      return blocks[block].baseAddress! + start
    }
    let next = UnsafeMutableRawBufferPointer.allocate(byteCount: max(size, Self.blockSize), alignment: 16)
    blocks.append(next)
    block = blocks.count - 1
    used = size
    return next.baseAddress!
  }

  func bytes(_ text: String) -> amqp_bytes_t {
    var text = text
    return text.withUTF8 { copy(UnsafeRawBufferPointer($0)) }
  }

  /// Of what AMQP's short strings can carry: a longer one would end up in the fields after it.
  func shortBytes(_ text: String, _ name: @autoclosure () -> String) throws(AMQPError) -> amqp_bytes_t {
    let bytes = bytes(text)
    guard bytes.len <= 255 else { throw AMQPError(.unencodable, "its \(name()) has \(bytes.len) bytes: AMQP carries 255") }
    return bytes
  }

  func bytes(_ array: [UInt8]) -> amqp_bytes_t { array.withUnsafeBytes { copy($0) } }

  private func copy(_ source: UnsafeRawBufferPointer) -> amqp_bytes_t {
    guard let base = source.baseAddress, source.count > 0 else { return amqp_bytes_t(len: 0, bytes: nil) }
    let copy = allocate(source.count, alignment: 1)
    copy.copyMemory(from: base, byteCount: source.count)
    return amqp_bytes_t(len: source.count, bytes: copy)
  }
}
