import CHiredis

/// One command with its arguments, kept in one buffer. One that Redis answers with several replies (SUBSCRIBE, MONITOR) is not for here.
public struct RedisCommand: Sendable {
  private var bytes: [UInt8] = []
  private var ends: [Int] = []

  public init(_ name: String, _ arguments: String...) {
    append(name)
    for argument in arguments { append(argument) }
  }

  /// `capacity` is the expected size of all arguments in bytes.
  public init(_ name: String, capacity: Int) {
    bytes.reserveCapacity(capacity + name.utf8.count)
    append(name)
  }

  public mutating func append(_ text: String) {
    if text.utf8.withContiguousStorageIfAvailable({ bytes.append(contentsOf: $0) }) == nil { bytes.append(contentsOf: text.utf8) }
    ends.append(bytes.count)
  }

  public mutating func append(_ argument: [UInt8]) {
    bytes.append(contentsOf: argument)
    ends.append(bytes.count)
  }

  public mutating func append(_ argument: some Sequence<UInt8>) {
    bytes.append(contentsOf: argument)
    ends.append(bytes.count)
  }

  public mutating func append(_ number: Int64) { append(String(number)) }
  public mutating func append(_ number: Int) { append(String(number)) }

  /// Writes the command to the context's buffer; false where memory ran out.
  func append(to context: UnsafeMutablePointer<redisContext>) -> Bool {
    bytes.withUnsafeBytes { buffer in
      let base = buffer.baseAddress?.assumingMemoryBound(to: CChar.self)
      return withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: ends.count) { words in
        withUnsafeTemporaryAllocation(of: Int.self, capacity: ends.count) { lengths in
          var start = 0
          for (index, end) in ends.enumerated() {
            words.initializeElement(at: index, to: base.map { $0 + start })
            lengths.initializeElement(at: index, to: end - start)
            start = end
          }
          return lengths.withMemoryRebound(to: size_t.self) { lengths in
            redisAppendCommandArgv(context, Int32(ends.count), words.baseAddress, lengths.baseAddress) == REDIS_OK
          }
        }
      }
    }
  }
}
