import Foundation
import TestSupport
import Testing

/// A collector of OpenTelemetry's own making, in Python, as far as it decodes what comes.
struct TraceCollector {
  struct Recorded: Decodable, Hashable {
    struct Link: Decodable, Hashable {
      let trace: String
      let span: String
    }
    /// Attributes are texts and numbers.
    enum Value: Decodable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
      case text(String)
      case number(Int)
      init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        self = try (try? container.decode(Int.self)).map { .number($0) } ?? .text(container.decode(String.self))
      }
      init(stringLiteral text: String) { self = .text(text) }
      init(integerLiteral number: Int) { self = .number(number) }
    }
    let resource: [String: String]
    let trace: String
    let span: String
    let parent: String
    let name: String
    let kind: String
    let begin: Int
    let end: Int
    let attributes: [String: Value]
    let links: [Link]
    let error: String?
  }

  static let python = ProcessInfo.processInfo.environment["ORDER_WORKER_OTLP_PYTHON"]
  private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Tracing/collector.py").path

  private let files: Program.Files
  let url: String

  static func with(_ body: (TraceCollector) async throws -> Void) async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let process = await ServerProcess.start(
      [try #require(python), "-B", script, files.folder.path], log: files.folder.appendingPathComponent("err").path)
    defer { process.signal(SIGTERM) }
    func port() -> String? { try? String(contentsOf: files.folder.appendingPathComponent("port"), encoding: .utf8) }
    #expect(await eventually(within: .seconds(30)) { port() != nil }, "\(files.errors)")
    try await body(TraceCollector(files: files, url: "http://127.0.0.1:\(try #require(port()))"))
    #expect(files.errors == "")
  }

  /// All that came so far.
  var spans: [Recorded] {
    let text = (try? String(contentsOf: files.folder.appendingPathComponent("spans"), encoding: .utf8)) ?? ""
    return text.split(separator: "\n").compactMap { try? JSONDecoder().decode(Recorded.self, from: Data($0.utf8)) }
  }

  /// The spans of one trace, when there are so many.
  func spans(of trace: String, count: Int) async -> [Recorded] {
    var found: [Recorded] = []
    _ = await eventually(within: .seconds(30)) {
      found = spans.filter { $0.trace == trace }
      return found.count >= count
    }
    return found
  }
}
