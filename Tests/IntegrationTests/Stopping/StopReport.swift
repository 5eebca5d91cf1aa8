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

private struct RelayReport: Decodable {
  let count: Int
}

extension ProductWorld {
  /// Events that a relay found in the outbox for longer than two seconds, on a machine with too much to do: they may be repeats.
  var relayedEvents: Int {
    printed.split(separator: "\n").filter { $0.contains(#""message":"events of the outbox relayed""#) }.reduce(0) {
      $0 + ((try? JSONDecoder().decode(RelayReport.self, from: Data($1.utf8)))?.count ?? 0)
    }
  }

  /// Of each of its workers that has stopped, in the order in which they did.
  var stopReports: [StopReport] {
    printed.split(separator: "\n").filter { $0.contains(#""message":"worker stopped""#) }.compactMap {
      try? JSONDecoder().decode(StopReport.self, from: Data($0.utf8))
    }
  }
}
