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
