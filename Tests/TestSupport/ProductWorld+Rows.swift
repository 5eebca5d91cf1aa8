import ClientRuntime
import PostgresClient

/// Rows of the world's tables, as text, to be compared with what was told.
extension ProductWorld {
  package struct OrderRow: Sendable, Equatable {
    package let status: String
    package let payment: String
    package let reservation: String
    package let version: Int64
    package let currency: String
    package let totalMinor: Int64

    package init(status: String, payment: String, reservation: String, version: Int64, currency: String, totalMinor: Int64) {
      self.status = status
      self.payment = payment
      self.reservation = reservation
      self.version = version
      self.currency = currency
      self.totalMinor = totalMinor
    }
  }

  package struct HistoryRow: Sendable, Equatable {
    package let version: Int64
    package let status: String
    package let previous: String?
    package let payment: String
    package let actor: String
    package let message: String
    package let reason: String?

    package init(version: Int64, status: String, previous: String?, payment: String, actor: String, message: String, reason: String?) {
      self.version = version
      self.status = status
      self.previous = previous
      self.payment = payment
      self.actor = actor
      self.message = message
      self.reason = reason
    }
  }

  package struct AuditRow: Sendable, Equatable {
    package let order: String?
    package let action: String
    package let outcome: String
    package let actor: String

    package init(order: String?, action: String, outcome: String, actor: String) {
      self.order = order
      self.action = action
      self.outcome = outcome
      self.actor = actor
    }
  }

  /// A payment operation's row, whose key is the provider's too.
  package struct PaymentRow: Sendable, Equatable {
    package let order: String
    package let operation: String
    package let state: String
    package let amountMinor: Int64
    package let currency: String

    package init(order: String, operation: String, state: String, amountMinor: Int64, currency: String) {
      self.order = order
      self.operation = operation
      self.state = state
      self.amountMinor = amountMinor
      self.currency = currency
    }
  }

  /// Every order, by its id.
  package func orderRows() async throws -> [String: OrderRow] {
    let sql = "SELECT order_id::text, status, payment_status, reservation, version, currency, total_minor FROM orders"
    return try await dictionary(sql) { rows, row in
      OrderRow(
        status: rows.text(row, 1), payment: rows.text(row, 2), reservation: rows.text(row, 3), version: rows.int64(row, 4), currency: rows.text(row, 5),
        totalMinor: rows.int64(row, 6))
    }
  }

  /// Every order's history, oldest first.
  package func historyRows() async throws -> [String: [HistoryRow]] {
    let sql = """
      SELECT order_id::text, version, status, previous_status, payment_status, actor, message_id, reason FROM order_history ORDER BY order_id, version
      """
    return try await groups(sql) { rows, row in
      HistoryRow(
        version: rows.int64(row, 1), status: rows.text(row, 2), previous: rows.isNull(row, 3) ? nil : rows.text(row, 3), payment: rows.text(row, 4),
        actor: rows.text(row, 5), message: rows.text(row, 6), reason: rows.isNull(row, 7) ? nil : rows.text(row, 7))
    }
  }

  /// The audit log's rows about each message id.
  package func auditRows() async throws -> [String: [AuditRow]] {
    let sql = "SELECT message_id, order_id::text, action, outcome, actor FROM audit_log WHERE message_id IS NOT NULL"
    return try await groups(sql) { rows, row in
      AuditRow(order: rows.isNull(row, 1) ? nil : rows.text(row, 1), action: rows.text(row, 2), outcome: rows.text(row, 3), actor: rows.text(row, 4))
    }
  }

  /// The outcome of each claimed message id; nil while its payment is open.
  package func claims() async throws -> [String: String?] {
    try await dictionary("SELECT message_id, outcome FROM processed_commands") { rows, row in rows.isNull(row, 1) ? nil : rows.text(row, 1) }
  }

  /// Every payment operation, by its key.
  package func paymentRows() async throws -> [String: PaymentRow] {
    try await dictionary("SELECT key, order_id::text, operation, state, amount_minor, currency FROM payments") { rows, row in
      PaymentRow(
        order: rows.text(row, 1), operation: rows.text(row, 2), state: rows.text(row, 3), amountMinor: rows.int64(row, 4), currency: rows.text(row, 5))
    }
  }

  private func dictionary<Value: Sendable>(_ sql: String, _ value: @escaping @Sendable (ResultSet, Int) -> Value) async throws -> [String: Value] {
    try await groups(sql, value).mapValues { $0[0] }
  }

  /// Those of these messages that were claimed with an outcome, or dead-lettered.
  package func ended(_ messages: [String]) async throws -> [String] {
    if messages.isEmpty { return [] }
    var ids = TextArray()
    for message in messages { ids.append(message) }
    let parameters: Parameters = [.array(ids)]
    return try await database.run(deadline: .after(.seconds(10))) { session throws(PostgresError) in
      let rows = try session.query(
        Statement(
          name: "ended",
          sql: """
            SELECT message_id FROM processed_commands WHERE outcome IS NOT NULL AND message_id = ANY ($1)
            UNION SELECT message_id FROM dead_letters WHERE message_id = ANY ($1)
            """, parameterTypes: [.textArray]), parameters)
      return (0..<rows.rowCount).map { rows.text($0, 0) }
    }
  }

  /// What each row says, by the text of its first column.
  package func groups<Value: Sendable>(_ sql: String, _ value: @escaping @Sendable (ResultSet, Int) -> Value) async throws -> [String: [Value]] {
    try await database.run(deadline: .after(.seconds(60))) { session throws(PostgresError) in
      let rows = try session.query(Statement(name: "rows-\(sql.hashValue)", sql: sql))
      var groups: [String: [Value]] = [:]
      for row in 0..<rows.rowCount { groups[rows.text(row, 0), default: []].append(value(rows, row)) }
      return groups
    }
  }
}
