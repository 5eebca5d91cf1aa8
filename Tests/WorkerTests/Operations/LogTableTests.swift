import Foundation
import Testing

/// Who is called at night looks a line up in docs/operations.md: what the sources log is there under its level, and what is there is logged.
@Suite struct LogTableTests {
  private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

  private static func sources() throws -> String {
    try ["Sources/Worker", "Sources/Operations", "Sources/Adapters"].map { folder in
      let files = FileManager.default.enumerator(at: project.appending(path: folder), includingPropertiesForKeys: nil)?.compactMap { $0 as? URL } ?? []
      return try files.filter { $0.pathExtension == "swift" }.map { try String(contentsOf: $0, encoding: .utf8) }.joined()
    }.joined()
  }

  private static func rows() throws -> [(message: String, level: String)] {
    let lines = try String(contentsOf: project.appending(path: "docs/operations.md"), encoding: .utf8)
      .split(separator: "\n", omittingEmptySubsequences: false)
    let begin = try #require(lines.firstIndex { $0.hasPrefix("| message | level |") })
    return lines[(begin + 2)...].prefix { $0.hasPrefix("|") }.map { line in
      let cells = line.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) }
      // Of a long sentence the table has the beginning.
      let message = cells[1].split(separator: "`")[0]
      return (message.hasSuffix(" …") ? String(message.dropLast(2)) : String(message), cells[2])
    }
  }

  /// But for the lines whose level is computed: those are held by the other half only.
  @Test func everyLineThatIsLoggedIsInTheTable() throws {
    let rows = try Self.rows()
    let calls = try Self.sources().matches(of: /log(?:ger)?\.(debug|info|notice|warning|error|critical)\(\s*"([^"\\]+)"/)
    #expect(calls.count > 20)
    for call in calls {
      let isTold = rows.contains { call.2.hasPrefix($0.message) && $0.level.contains(call.1) }
      #expect(isTold, "\(call.1): \(call.2)")
    }
  }

  @Test func everyLineOfTheTableIsLogged() throws {
    let sources = try Self.sources()
    for row in try Self.rows() { #expect(sources.contains("\"\(row.message)"), "\(row.message)") }
  }
}
