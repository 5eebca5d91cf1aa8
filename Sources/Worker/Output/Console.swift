import Glibc

/// Results go to standard output, everything else to standard error.
enum Console {
  /// Writes a line at once, so that a reader at the other end of a pipe sees it. A reader that is gone ends the program quietly.
  static func print(_ line: String) { write(Array((line + "\n").utf8), to: STDOUT_FILENO) }

  static func print(utf8 line: [UInt8]) { write(line + [UInt8(ascii: "\n")], to: STDOUT_FILENO) }

  /// Lines that have their line feeds.
  static func print(utf8Lines lines: [UInt8]) { write(lines, to: STDOUT_FILENO) }

  static func complain(_ sentence: String) { print(complaint: "order-worker: \(sentence)") }

  /// A line for standard error that is whole as it is.
  static func print(complaint: String) { write(Array((complaint + "\n").utf8), to: STDERR_FILENO) }

  private static func write(_ bytes: [UInt8], to descriptor: Int32) {
    bytes.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = Glibc.write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        if count <= 0 { ProgramExit.leave(errno == EPIPE && descriptor == STDOUT_FILENO ? ProgramExit.done : ProgramExit.failed) }
        rest = rest.dropFirst(count)
      }
    }
  }
}
