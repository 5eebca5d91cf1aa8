import FuzzDriver
import Glibc

/// Gives one decoder inputs that libFuzzer makes up: `FUZZ_TARGET=json order-fuzz [options of libFuzzer] [folders or files of inputs]`.
@main struct OrderFuzz {
  /// Set once, before the only thread that reads it goes on.
  nonisolated(unsafe) private static var target = FuzzTarget.all[0]

  static func main() {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let chosen = FuzzTarget.all.first(where: { $0.name == name }) else {
      print(FuzzTarget.all.map(\.name).joined(separator: "\n"))
      exit(name.isEmpty ? 0 : 64)
    }
    target = chosen
    // What comes last counts: a length that the caller gives goes before this one.
    let arguments = [CommandLine.arguments[0], "-max_len=\(chosen.longest)"] + CommandLine.arguments.dropFirst()
    var pointers: [UnsafeMutablePointer<CChar>?] = arguments.map { strdup($0) } + [nil]
    var count = Int32(arguments.count)
    pointers.withUnsafeMutableBufferPointer { buffer in
      var argv = buffer.baseAddress
      exit(
        LLVMFuzzerRunDriver(&count, &argv) { data, size in
          OrderFuzz.target.body(Array(UnsafeBufferPointer(start: data, count: size)))
          return 0
        })
    }
  }
}

/// Ends the process where something does not hold, which libFuzzer takes for a crash and keeps the input of.
func expect(_ holds: Bool, _ sentence: @autoclosure () -> String) {
  if !holds { fatalError(sentence()) }
}

/// The value, which must be there.
func expected<T>(_ value: T?, _ sentence: @autoclosure () -> String) -> T {
  guard let value else { fatalError(sentence()) }
  return value
}
