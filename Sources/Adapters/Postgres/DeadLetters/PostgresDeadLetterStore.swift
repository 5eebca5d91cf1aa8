import Application
import ClientRuntime
import Domain
import PostgresClient
import Synchronization

/// Dead letters in the table `dead_letters`.
package final class PostgresDeadLetterStore: DeadLetterStore {
  let client: PostgresClient
  let deadline: Duration
  let trail = AuditTrail()

  package init(client: PostgresClient, deadline: Duration = .seconds(30)) {
    self.client = client
    self.deadline = deadline
  }

  package func ingest(_ arrivals: [DeadLetterArrival]) async throws(StoreError) {
    _ = try await change(DeadLetterStatements.ingest, DeadLetterColumns(arrivals).parameters) { changed in
      arrivals.filter { changed.contains($0.letter.key) }.map(AuditEntry.init(refused:))
    }
  }

  package func newest(
    _ filter: DeadLetterFilter, tenant: TenantID, after position: DeadLetterPosition?, limit: Int
  ) async throws(StoreError) -> [DeadLetter] {
    var parameters = Self.parameters(filter, tenant)
    parameters.append(.timestamp(position?.failedAt.microseconds ?? .max))
    parameters.append(.uuid(high: position?.id.high ?? 0, low: position?.id.low ?? 0))
    parameters.append(.int64(Int64(limit)))
    let statement = DeadLetterStatements.newest(filter.states)
    return try await client.runIfConnected(within: deadline) { [parameters] session throws(PostgresError) in
      try StoredDeadLetter.read(session.query(statement, parameters))
    }
  }

  package func groups(
    _ filter: DeadLetterFilter, tenant: TenantID, by grouping: DeadLetterGrouping, limit: Int
  ) async throws(StoreError) -> [DeadLetterGroup] {
    var parameters = Self.parameters(filter, tenant)
    parameters.append(.int64(Int64(limit)))
    let statement = DeadLetterStatements.groups(filter.states, by: grouping)
    return try await client.runIfConnected(within: deadline) { [parameters] session throws(PostgresError) in
      let rows = try session.query(statement, parameters)
      return (0..<rows.rowCount).map { row in
        DeadLetterGroup(
          name: rows.isNull(row, 0) ? nil : rows.text(row, 0), count: rows.int64(row, 1), oldest: Timestamp(microseconds: rows.timestamp(row, 2)),
          newest: Timestamp(microseconds: rows.timestamp(row, 3)))
      }
    }
  }

  package func count(_ filter: DeadLetterFilter, tenant: TenantID) async throws(StoreError) -> Int64 {
    let parameters = Self.parameters(filter, tenant)
    return try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      try session.query(DeadLetterStatements.count(filter.states), parameters).int64(0, 0)
    }
  }

  package func find(_ ids: ClosedRange<UUIDValue>, tenant: TenantID, limit: Int) async throws(StoreError) -> [DeadLetter] {
    let parameters = Parameters([
      .text(tenant.rawValue), .uuid(high: ids.lowerBound.high, low: ids.lowerBound.low), .uuid(high: ids.upperBound.high, low: ids.upperBound.low),
      .int64(Int64(limit)),
    ])
    return try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      try StoredDeadLetter.read(session.query(DeadLetterStatements.find, parameters))
    }
  }

  package func untilAvailable() async { _ = await client.waitUntilConnected(deadline: .after(.seconds(5))) }

  static func parameters(_ filter: DeadLetterFilter, _ tenant: TenantID) -> Parameters {
    Parameters([
      .text(tenant.rawValue), filter.reason.map { .text($0.rawValue) } ?? .null, filter.type.map { .text($0) } ?? .null,
      filter.since.map { .timestamp($0.microseconds) } ?? .null, filter.order.map { .uuid(high: $0.high, low: $0.low) } ?? .null,
      filter.error.map { .text($0) } ?? .null,
    ])
  }
}

/// Arrivals as the columns of one statement.
struct DeadLetterColumns {
  let parameters: Parameters

  init(_ arrivals: [DeadLetterArrival]) {
    var tenant = TextArray()
    var id = UUIDArray()
    var message = TextArray()
    var type = TextArray()
    var order = UUIDArray()
    var reason = TextArray()
    var error = TextArray()
    var pattern = TextArray()
    var attempts = Int32Array()
    var body = ByteaArray()
    var size = Int64Array()
    var hash = ByteaArray()
    var headers = TextArray()
    var properties = TextArray()
    var principal = TextArray()
    var command = TextArray()
    var subject = TextArray()
    var fingerprint = ByteaArray()
    var history = TextArray()
    var first = TimestampArray()
    var last = TimestampArray()
    var dated = BoolArray()
    for arrival in arrivals {
      let letter = arrival.letter
      tenant.append(letter.key.tenant.rawValue)
      id.append(high: letter.key.id.high, low: letter.key.id.low)
      message.append(letter.messageID)
      type.append(letter.type)
      order.append(letter.order)
      reason.append(letter.reason.rawValue)
      error.append(letter.error)
      pattern.append(DeadLetter.pattern(of: letter.error))
      attempts.append(Int32(clamping: letter.attempts))
      body.append(letter.body)
      size.append(Int64(letter.bodySize))
      hash.append(letter.bodyHash.bytes)
      headers.append(utf8: letter.headers)
      properties.append(utf8: letter.properties)
      principal.append(letter.principal.map { StoredPrincipal.encode($0, isTokenExpired: letter.isTokenExpired) })
      command.append(letter.command?.rawValue)
      subject.append(letter.mark?.subject)
      fingerprint.append(letter.mark?.fingerprint.bytes)
      history.append(StoredHistory.encode(letter.history))
      first.append(letter.firstFailedAt.microseconds)
      last.append(letter.failedAt.microseconds)
      dated.append(arrival.isDated)
    }
    parameters = Parameters([
      .array(tenant), .array(id), .array(message), .array(type), .array(order), .array(reason), .array(error), .array(pattern), .array(attempts),
      .array(body), .array(size), .array(hash), .array(headers), .array(properties), .array(principal), .array(command), .array(subject),
      .array(fingerprint), .array(history), .array(first), .array(last), .array(dated),
    ])
  }
}
