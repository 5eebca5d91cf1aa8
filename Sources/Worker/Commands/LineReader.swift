import Glibc

/// Reads lines off a file of any size, holding one chunk and the line that it cuts.
struct LineReader: ~Copyable {
  enum Line: Equatable {
    case text([UInt8])
    /// Longer than the limit; what it held is gone.
    case tooLong
  }

  private static let chunkSize = 65_536
  private let descriptor: Int32
  private let closes: Bool
  private let limit: Int
  private let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: chunkSize, alignment: 1)
  private var partial: [UInt8] = []
  private var isTooLong = false

  /// `-` is standard input; `limit` is the most bytes that a line may have.
  init(_ path: String, limit: Int) throws(FileFault) {
    self.limit = limit
    closes = path != "-"
    descriptor = closes ? open(path, O_RDONLY | O_CLOEXEC) : STDIN_FILENO
    if descriptor < 0 { throw FileFault(errno: errno) }
  }

  deinit {
    chunk.deallocate()
    if closes { close(descriptor) }
  }

  /// Waits for more, and returns the lines that ended in it, without their line feeds; nil at the end of the file.
  mutating func next() throws(FileFault) -> [Line]? {
    while true {
      let count = read(descriptor, chunk.baseAddress, chunk.count)
      if count > 0 { return take(count) }
      if count == 0 { return rest() }
      if errno != EINTR { throw FileFault(errno: errno) }
    }
  }

  private mutating func take(_ count: Int) -> [Line] {
    var lines: [Line] = []
    var from = 0
    for at in 0..<count where chunk[at] == UInt8(ascii: "\n") {
      append(from..<at)
      lines.append(end())
      from = at + 1
    }
    append(from..<count)
    return lines
  }

  private mutating func append(_ range: Range<Int>) {
    isTooLong = isTooLong || partial.count + range.count > limit
    if isTooLong { partial = [] } else { partial.append(contentsOf: chunk[range]) }
  }

  private mutating func end() -> Line {
    defer {
      partial.removeAll(keepingCapacity: true)
      isTooLong = false
    }
    return isTooLong ? .tooLong : .text(partial)
  }

  /// What follows the last line feed, if anything does.
  private mutating func rest() -> [Line]? {
    partial.isEmpty && !isTooLong ? nil : [end()]
  }
}
