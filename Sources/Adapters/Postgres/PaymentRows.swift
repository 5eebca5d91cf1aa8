import Application
import Domain
import PostgresClient

/// Payments as a batch reads them.
enum PaymentRows {
  static func read(_ rows: ResultSet, into facts: inout BatchFacts) throws(PostgresError) {
    for row in 0..<rows.rowCount {
      let record = try record(rows, row)
      facts.records[record.key] = record
      guard record.state == .open else { continue }
      let known = facts.payments[record.key.order] ?? .none
      facts.payments[record.key.order] = PaymentFacts(
        authorization: known.authorization, open: record.operation, surplus: known.surplus, count: max(known.count, record.operation.number))
    }
  }

  private static func record(_ rows: ResultSet, _ row: Int) throws(PostgresError) -> PaymentRecord {
    func text(_ column: Int) -> String? { rows.isNull(row, column) ? nil : rows.text(row, column) }
    guard let tenant = TenantID(rows.text(row, 0)), let kind = PaymentKind(rawValue: rows.text(row, 3)),
      let purpose = PaymentPurpose(rawValue: rows.text(row, 4)), let currency = Currency(rows.text(row, 6)),
      let state = PaymentState(rawValue: rows.text(row, 12)), let message = MessageID(rows.text(row, 13)),
      let type = CommandType(rawValue: rows.text(row, 14))
    else { throw .unreadable("payments") }
    let number = Int(rows.int32(row, 2))
    let operation = PaymentOperation(
      number: number, kind: kind, purpose: purpose, amount: Money(minorUnits: rows.int64(row, 5), currency: currency),
      method: text(7).flatMap(PaymentMethod.init),
      // The one that was authorised is the result's, not the operation's.
      authorization: kind == .authorize ? nil : text(8).flatMap(AuthorizationID.init))
    let cause = PaymentCause(
      identity: CommandIdentity(tenant: tenant, message: message), type: type, actor: rows.text(row, 17), reason: text(18),
      correlationID: rows.text(row, 19), traceparent: text(20), replyTo: text(21), command: rows.bytes(row, 15), versionBefore: rows.int64(row, 16))
    var record = PaymentRecord(
      key: PaymentKey(order: OrderKey(tenant: tenant, order: rows.uuidValue(row, 1)), number: number), operation: operation,
      call: PaymentCall(key: rows.text(row, 9), target: rows.text(row, 10), body: rows.bytes(row, 11)), cause: cause,
      openedAt: Timestamp(microseconds: rows.timestamp(row, 22)))
    record.state = state
    record.firstCalledAt = rows.isNull(row, 23) ? nil : Timestamp(microseconds: rows.timestamp(row, 23))
    record.isUnknown = rows.bool(row, 24)
    record.attempts = Int(rows.int32(row, 25))
    record.wasUnknown = rows.bool(row, 27)
    record.lease = rows.isNull(row, 26) ? nil : rows.uuidValue(row, 26)
    return record
  }

  static func columns(_ keys: [PaymentKey]) -> Parameters {
    var columns = KeyColumns(capacity: keys.count)
    for key in keys { columns.append(key) }
    return Parameters(columns.values)
  }

  struct KeyColumns {
    private var tenant: TextArray
    private var order: UUIDArray
    private var number: Int64Array

    init(capacity: Int) {
      tenant = TextArray(capacity: capacity)
      order = UUIDArray(capacity: capacity)
      number = Int64Array(capacity: capacity)
    }

    mutating func append(_ key: PaymentKey) {
      tenant.append(key.order.tenant.rawValue)
      order.append(high: key.order.order.high, low: key.order.order.low)
      number.append(Int64(key.number))
    }

    var values: [Parameter] { [.array(tenant), .array(order), .array(number)] }
  }
}
