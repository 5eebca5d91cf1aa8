import Application
import Domain
import PostgresClient
import Synchronization

/// What operators do with dead letters.
extension PostgresDeadLetterStore {
  package func oldest(
    _ filter: DeadLetterFilter, tenant: TenantID, until end: Timestamp, after position: DeadLetterPosition?, limit: Int
  ) async throws(StoreError) -> [DeadLetter] {
    var parameters = Self.parameters(filter, tenant)
    parameters.append(.timestamp(position?.failedAt.microseconds ?? 0))
    parameters.append(.uuid(high: position?.id.high ?? 0, low: position?.id.low ?? 0))
    parameters.append(.timestamp(end.microseconds))
    parameters.append(.int64(Int64(limit)))
    let statement = DeadLetterStatements.oldest(filter.states)
    return try await client.runIfConnected(within: deadline) { [parameters] session throws(PostgresError) in
      try StoredDeadLetter.read(session.query(statement, parameters))
    }
  }

  package func claim(_ claims: [ReplayClaim], patience: Duration) async throws(StoreError) -> Set<DeadLetterKey> {
    var subject = TextArray()
    var fingerprint = ByteaArray()
    var event = TextArray()
    for claim in claims {
      subject.append(claim.mark?.subject)
      fingerprint.append(claim.mark?.fingerprint.bytes)
      event.append(StoredHistory.encode([claim.event]))
    }
    let parameters = Parameters(
      Self.columns(claims.map(\.key)) + [.array(subject), .array(fingerprint), .array(event), .int64(patience.milliseconds)])
    let trials = Parameters(Self.columns(claims.map(\.key)))
    return try await change(ReplayStatements.claim, parameters, then: (ReplayStatements.forgetTrials, trials)) { changed in
      claims.filter { changed.contains($0.key) }.flatMap(\.audit)
    }
  }

  package func published(_ keys: [DeadLetterKey]) async throws(StoreError) {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      _ = try session.query(ReplayStatements.published, Parameters(Self.columns(keys)))
    }
  }

  package func giveBack(_ keys: [DeadLetterKey], _ event: DeadLetterEvent) async throws(StoreError) {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      _ = try session.query(ReplayStatements.giveBack, Parameters(Self.columns(keys) + [.text(StoredHistory.encode([event]))]))
    }
  }

  package func progress(_ keys: [DeadLetterKey]) async throws(StoreError) -> [DeadLetterKey: ReplayProgress] {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let rows = try session.query(ReplayStatements.progress, Parameters(Self.columns(keys)))
      var progress: [DeadLetterKey: ReplayProgress] = [:]
      for (row, key) in try Self.keys(rows).enumerated() {
        let state = rows.text(row, 2)
        if !rows.isNull(row, 4), rows.text(row, 4) == "rejected" {
          progress[key] = .rejected(rows.isNull(row, 5) ? nil : StoredRejection.decode(rows.text(row, 5))?.code)
        } else {
          progress[key] = rows.bool(row, 3) || state == "resolved" ? .done : state == "replaying" ? .underWay : .failed
        }
      }
      return progress
    }
  }

  package func discard(_ keys: [DeadLetterKey], _ event: DeadLetterEvent, audit: [AuditEntry]) async throws(StoreError) -> Set<DeadLetterKey> {
    let parameters = Parameters(Self.columns(keys) + [.text(StoredHistory.encode([event]))])
    return try await change(ReplayStatements.discard, parameters) { changed in zip(keys, audit).filter { changed.contains($0.0) }.map(\.1) }
  }

  package func audit(_ entries: [AuditEntry]) async throws(StoreError) {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      try session.execute("BEGIN")
      try self.trail.commit(entries, session)
    }
  }

  /// Runs a statement that returns the keys it changed, and commits it with its audit.
  func change(
    _ statement: Statement, _ parameters: Parameters, then next: (Statement, Parameters)? = nil, audit: @escaping @Sendable (Set<DeadLetterKey>) -> [AuditEntry]
  ) async throws(StoreError) -> Set<DeadLetterKey> {
    try await client.runIfConnected(within: deadline) { session throws(PostgresError) in
      let results = try session.pipeline {
        $0.append(.begin)
        $0.append(statement, parameters)
        if let next { $0.append(next.0, next.1) }
      }
      let changed = Set(try Self.keys(results[1]))
      try self.trail.commit(audit(changed), session)
      return changed
    }
  }

  private static func keys(_ rows: ResultSet) throws(PostgresError) -> [DeadLetterKey] {
    var keys: [DeadLetterKey] = []
    for row in 0..<rows.rowCount {
      guard let tenant = TenantID(rows.text(row, 0)) else { throw .unreadable("dead_letters") }
      keys.append(DeadLetterKey(tenant: tenant, id: rows.uuidValue(row, 1)))
    }
    return keys
  }

  private static func columns(_ keys: [DeadLetterKey]) -> [Parameter] {
    var tenant = TextArray(capacity: keys.count)
    var id = UUIDArray(capacity: keys.count)
    for key in keys {
      tenant.append(key.tenant.rawValue)
      id.append(high: key.id.high, low: key.id.low)
    }
    return [.array(tenant), .array(id)]
  }
}
