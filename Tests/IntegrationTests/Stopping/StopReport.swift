import Foundation
import TestSupport

/// What a worker said last.
struct StopReport: Decodable, Sendable {
  let message: String
  let settled: Int
  let finished: Int
  let returned: Int
  let abandoned: Int
  let milliseconds: Int
}

extension ProductWorld {
  /// Of each of its workers that has stopped, in the order in which they did.
  var stopReports: [StopReport] {
    printed.split(separator: "\n").filter { $0.contains(#""message":"worker stopped""#) }.compactMap {
      try? JSONDecoder().decode(StopReport.self, from: Data($0.utf8))
    }
  }
}
