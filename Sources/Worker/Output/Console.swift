import Glibc

/// Results go to standard output, everything else to standard error.
enum Console {
  /// Writes a line at once, so that a reader at the other end of a pipe sees it. A reader that is gone ends the program quietly.
  static func print(_ line: String) { write(Array((line + "\n").utf8), to: STDOUT_FILENO) }

  static func print(utf8 line: [UInt8]) { write(line + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

  /// Lines that have their line feeds.
  static func print(utf8Lines lines: [UInt8]) { write(lines, to: STDOUT_FILENO) }

  static func complain(_ sentence: String) { write(Array("order-worker: \(sentence)\n".utf8), to: STDERR_FILENO) }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { exit(errno == EPIPE && descriptor == STDOUT_FILENO ? 0 : 1) }
        rest = rest.dropFirst(count)
      }
    }
  }
}
