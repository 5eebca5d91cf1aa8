import ClientRuntime
import Foundation
import PostgresClient

/// What a test looks at when all is over, or when something is wrong.
extension ProductWorld {
  package struct Stock: Sendable, Equatable {
    package let onHand: Int64
    package let reserved: Int64
    package init(onHand: Int64, reserved: Int64) {
      self.onHand = onHand
      self.reserved = reserved
    }
  }

  /// The rows of `inventory`, by product.
  package func stock() async throws -> [String: Stock] {
    try await database.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      let rows = try session.query(Statement(name: "all_stock", sql: "SELECT product_id, on_hand, reserved FROM inventory"))
      var stock: [String: Stock] = [:]
      for row in 0..<rows.rowCount { stock[rows.text(row, 0)] = Stock(onHand: rows.int64(row, 1), reserved: rows.int64(row, 2)) }
      return stock
    }
  }

  /// The second column of each row by the first, both text.
  package func texts(_ sql: String) async throws -> [String: String] { try await groups(sql) { $0.text($1, 1) }.mapValues { $0[0] } }

  /// The one column of a query, of `bigint`.
  package func numbers(_ sql: String) async throws -> [Int64] {
    try await database.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      let rows = try session.query(Statement(name: "numbers-\(sql.hashValue)", sql: sql))
      return (0..<rows.rowCount).map { rows.int64($0, 0) }
    }
  }

  /// What its processes printed, whole.
  package var printed: String { (try? String(contentsOfFile: log, encoding: .utf8)) ?? "" }

  /// The last lines of its processes, for a failure's message.
  package func logTail(_ count: Int = 40) -> String {
    let lines = printed.split(separator: "\n").suffix(count)
    return "the last \(lines.count) lines of \(log):\n" + lines.joined(separator: "\n")
  }

  /// How often its workers have said that RabbitMQ is up: a new worker raises it by one.
  package var connections: Int {
    printed.split(separator: "\n").count { $0.contains(#""dependency":"rabbitmq""#) && $0.contains(#""state":"up""#) }
  }

  /// Waits for workers to connect.
  package func connections(reach count: Int) async -> Bool {
    await eventually(within: .seconds(60)) {
      try? await Task.sleep(for: .milliseconds(20))
      return connections >= count
    }
  }
}
