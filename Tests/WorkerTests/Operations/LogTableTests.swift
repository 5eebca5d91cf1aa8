import Foundation
import Testing

/// Who is called at night looks a line up in docs/operations.md: each that the sources log is there, under its level.
@Suite struct LogTableTests {
  private static let project = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "../../..").standardizedFileURL

  private struct Line: Hashable {
    let level: String
    let message: String
  }

  private static func logged() throws -> Set<Line> {
    var lines: Set<Line> = []
    for folder in ["Sources/Worker", "Sources/Operations", "Sources/Adapters"] {
      let files = FileManager.default.enumerator(at: project.appending(path: folder), includingPropertiesForKeys: nil)
      while let file = files?.nextObject() as? URL {
        guard file.pathExtension == "swift" else { continue }
        let source = try String(contentsOf: file, encoding: .utf8)
        for call in source.matches(of: /log(?:ger)?\.(debug|info|notice|warning|error|critical)\(\s*"([^"\\]+)"/) {
          lines.insert(Line(level: String(call.1), message: String(call.2)))
        }
      }
    }
    return lines
  }

  @Test func everyLineThatIsLoggedIsInTheTable() throws {
    let rows = try String(contentsOf: Self.project.appending(path: "docs/operations.md"), encoding: .utf8).split(separator: "\n")
      .map { $0.split(separator: "|", omittingEmptySubsequences: false).map { $0.trimmingCharacters(in: .whitespaces) } }
    let lines = try Self.logged()
    #expect(lines.count > 20)
    for line in lines {
      // Of a long sentence the table has the beginning, up to its colon.
      let names = ["`\(line.message)`"] + (line.message.firstIndex(of: ":").map { ["`\(line.message[...$0]) …`"] } ?? [])
      let isTold = rows.contains { row in row.count > 3 && row[2].contains(line.level) && names.contains { row[1].hasPrefix($0) } }
      #expect(isTold, "\(line.level): \(line.message)")
    }
  }
}
