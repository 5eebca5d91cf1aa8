import Foundation
import TestSupport

/// The stack's PostgreSQL log, where it is known: its lines carry the name of the world whose connection they are about.
struct PostgresLog {
  private let lines: [Substring]

  /// Nil where `STACK_POSTGRES_LOG` does not say where it is.
  init?(of world: ProductWorld) {
    guard let path = ProcessInfo.processInfo.environment["STACK_POSTGRES_LOG"], let text = try? String(contentsOfFile: path, encoding: .utf8) else {
      return nil
    }
    lines = text.split(separator: "\n").filter { $0.contains(world.name) }
  }

  func errors(saying words: String) -> Int { lines.count { $0.contains("ERROR:") && $0.contains(words) } }
}
