import Glibc

/// Keeps the records over the sandbox's death: a line of JSON each, written before the answer.
struct LedgerFile: ~Copyable, Sendable {
  private let descriptor: Int32

  /// Opens or makes the file; gives what is in it. A last line that was cut in writing is left out: its answer never went.
  init(path: String, restore: (SandboxRecord) -> Void) throws(SandboxFault) {
    descriptor = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SandboxFault("the ledger \(path) cannot be opened: \(Self.reason())") }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 20)
    while true {
      let count = read(descriptor, &chunk, chunk.count)
      if count < 0 && errno == EINTR { continue }
      guard count >= 0 else { throw SandboxFault("the ledger \(path) cannot be read: \(Self.reason())") }
      if count == 0 { break }
      bytes += chunk[..<count]
    }
    var whole = 0
    while let end = bytes[whole...].firstIndex(of: UInt8(ascii: "\n")) {
      guard let record = SandboxJSON.decode(SandboxRecord.self, from: Array(bytes[whole..<end])) else {
        throw SandboxFault("the ledger \(path) has a line that is none of the sandbox's")
      }
      restore(record)
      whole = end + 1
    }
    if whole < bytes.count { ftruncate(descriptor, off_t(whole)) }
  }

  deinit { if descriptor >= 0 { close(descriptor) } }

  func append(_ record: SandboxRecord) {
    let line = SandboxJSON.encode(record) + [UInt8(ascii: "\n")]
    line.withUnsafeBytes { buffer in
      var rest = buffer[...]
      while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        // A stand-in that forgets what it did would prove nothing.
        guard count > 0 else { fatalError("the ledger cannot be written: \(Self.reason())") }
        rest = rest.dropFirst(count)
      }
    }
  }

  private static func reason() -> String { String(cString: strerror(errno)) }
}

/// Why the sandbox cannot be started.
package struct SandboxFault: Error, CustomStringConvertible {
  package let description: String
  init(_ description: String) { self.description = description }
}
