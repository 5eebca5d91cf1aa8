import Foundation
import TestSupport

/// The built executable, run as a process of its own.
struct Program {
  struct Result {
    let code: Int32
    let output: String
    let errors: String
  }

  /// Where `ORDER_WORKER_EXECUTABLE` says, else beside the tests.
  static let path: String =
    ProcessInfo.processInfo.environment["ORDER_WORKER_EXECUTABLE"]
    ?? URL(fileURLWithPath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appendingPathComponent("order-worker").path

  /// Waits for the end without holding a thread; after a minute the process is killed, and the code is that of the signal.
  static func run(_ arguments: [String], environment: [String: String] = [:], input: String? = nil) async throws -> Result {
    let files = try Files()
    defer { files.remove() }
    let process = try start(arguments, environment: environment, input: input, files: files)
    if await !eventually(within: .seconds(60), { !process.isRunning }) {
      kill(process.processIdentifier, SIGKILL)
      _ = await eventually { !process.isRunning }
    }
    return Result(code: process.terminationStatus, output: files.output, errors: files.errors)
  }

  /// Without the caller's own settings.
  static func start(_ arguments: [String], environment: [String: String], input: String? = nil, files: Files) throws -> Process {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: path)
    process.arguments = arguments
    process.environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("ORDERS_") }.merging(environment) { $1 }
    try Data((input ?? "").utf8).write(to: files.folder.appendingPathComponent("in"))
    process.standardInput = try FileHandle(forReadingFrom: files.folder.appendingPathComponent("in"))
    process.standardOutput = try FileHandle(forWritingTo: files.folder.appendingPathComponent("out"))
    process.standardError = try FileHandle(forWritingTo: files.folder.appendingPathComponent("err"))
    try process.run()
    return process
  }

  /// What a process reads and writes.
  struct Files {
    let folder: URL

    init() throws {
      folder = FileManager.default.temporaryDirectory.appendingPathComponent("order-worker-\(UUID().uuidString)")
      try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
      for name in ["out", "err"] { try Data().write(to: folder.appendingPathComponent(name)) }
    }

    var output: String { text("out") }
    var errors: String { text("err") }

    /// A file in the folder with this text; its path.
    func write(_ text: String, to name: String) throws -> String {
      let url = folder.appendingPathComponent(name)
      try Data(text.utf8).write(to: url)
      return url.path
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    private func text(_ name: String) -> String { (try? String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)) ?? "" }
  }
}
