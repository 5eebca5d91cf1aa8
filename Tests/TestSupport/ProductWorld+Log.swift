import Glibc

extension ProductWorld {
  /// The last of what its processes have printed, for the message of a test that failed.
  package var logTail: String { "log of \(name):\n" + logText.split(separator: "\n").suffix(40).joined(separator: "\n") }

  package var logText: String {
    guard let file = fopen(log, "r") else { return "" }
    defer { fclose(file) }
    var text: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      text += buffer[..<count]
    }
    return String(decoding: text, as: UTF8.self)
  }
}
