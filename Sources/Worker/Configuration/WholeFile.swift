import Glibc

/// Why a file could not be read, in the system's words.
struct FileFault: Error, Equatable {
  let reason: String

  init(errno code: Int32) { reason = String(cString: strerror(code)) }
  init(reason: String) { self.reason = reason }
}

/// Reads files that fit in memory.
enum WholeFile {
  static let limit = 64 << 20

  /// `-` is standard input.
  static func readOrStandardInput(_ path: String) throws(FileFault) -> [UInt8] {
    path == "-" ? try read(descriptor: STDIN_FILENO) : try read(path)
  }

  static func read(_ path: String) throws(FileFault) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw FileFault(errno: errno) }
    defer { close(descriptor) }
    return try read(descriptor: descriptor)
  }

  private static func read(descriptor: Int32) throws(FileFault) -> [UInt8] {
    var bytes: [UInt8] = []
    let chunk = UnsafeMutableRawBufferPointer.allocate(byteCount: 65_536, alignment: 1)
    defer { chunk.deallocate() }
    while true {
      let count = Glibc.read(descriptor, chunk.baseAddress, chunk.count)
      if count == 0 { return bytes }
      if count < 0 {
        if errno == EINTR { continue }
        throw FileFault(errno: errno)
      }
      bytes.append(contentsOf: chunk[..<count])
      if bytes.count > limit { throw FileFault(reason: "it is larger than \(limit >> 20) MiB") }
    }
  }
}
