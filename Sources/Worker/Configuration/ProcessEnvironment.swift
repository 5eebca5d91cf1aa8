@preconcurrency import Glibc

/// The environment that the process was started with.
enum ProcessEnvironment {
  static var current: [String: String] {
    var variables: [String: String] = [:]
    // `environ` is only written by setenv(3), which this program never calls.
    var entry = environ
    while let pointer = entry.pointee {
      let text = String(cString: pointer)
      if let equals = text.firstIndex(of: "=") { variables[String(text[..<equals])] = String(text[text.index(after: equals)...]) }
      entry += 1
    }
    return variables
  }
}
