import Application
import Domain
import Synchronization

/// What operators and keepers do with the letters.
extension InMemoryDeadLetterStore: DeadLetterKeeping {
  package var audited: [String] { tables.withLock { $0.audit.map { "\($0.action) \($0.message)" } } }

  package func set(now: Timestamp) { tables.withLock { $0.now = now } }

  package func advance(by time: Duration) { tables.withLock { $0.now = $0.now + time } }

  /// As if a worker had done the command; without an outcome its payment is open.
  package func complete(_ letter: DeadLetter, as mark: ClaimMark, outcome: String?) {
    tables.withLock { $0.done["\(letter.key.tenant) \(letter.commandID)"] = (letter.command!, mark, outcome) }
  }

  /// The same by the command's own identity.
  package func complete(_ identity: CommandIdentity, _ command: CommandType, as mark: ClaimMark, outcome: String?) {
    tables.withLock { $0.done["\(identity.tenant) \(identity.message)"] = (command, mark, outcome) }
  }

  package func oldest(
    _ filter: DeadLetterFilter, tenant: TenantID, until end: Timestamp, after position: DeadLetterPosition?, limit: Int
  ) async throws(StoreError) -> [DeadLetter] {
    func stands(_ letter: DeadLetter, behind position: DeadLetterPosition) -> Bool {
      letter.failedAt != position.failedAt ? letter.failedAt > position.failedAt : letter.key.id > position.id
    }
    let rows = matching(filter, tenant).filter { letter in letter.failedAt <= end && position.map { stands(letter, behind: $0) } ?? true }
    return Array(rows.sorted { $0.failedAt != $1.failedAt ? $0.failedAt < $1.failedAt : $0.key.id < $1.key.id }.prefix(limit))
  }

  /// Changes those of these letters for which `change` says true; returns which.
  private func change(_ keys: [DeadLetterKey], _ change: @Sendable (inout Row, Timestamp) -> Bool) -> Set<DeadLetterKey> {
    tables.withLock { tables in
      var changed: Set<DeadLetterKey> = []
      for key in keys {
        guard var row = tables.rows[key], change(&row, tables.now) else { continue }
        tables.rows[key] = row
        changed.insert(key)
      }
      return changed
    }
  }

  package func claim(_ claims: [ReplayClaim], patience: Duration) async throws(StoreError) -> Set<DeadLetterKey> {
    let byKey = Dictionary(uniqueKeysWithValues: claims.map { ($0.key, $0) })
    let claimed = change(claims.map(\.key)) { row, now in
      let isStale = row.letter.state == .replaying && !row.isPublished && row.claimedAt! + patience < now
      guard row.letter.state == .parked || isStale else { return false }
      row.letter.state = .replaying
      row.claimedAt = now
      row.isPublished = false
      row.replayMark = byKey[row.letter.key]!.mark
      row.letter.history.append(byKey[row.letter.key]!.event)
      return true
    }
    tables.withLock { $0.audit += claims.filter { claimed.contains($0.key) }.flatMap(\.audit) }
    return claimed
  }

  package func published(_ keys: [DeadLetterKey]) async throws(StoreError) {
    _ = change(keys) { row, _ in
      if row.letter.state == .replaying { row.isPublished = true }
      return true
    }
  }

  package func giveBack(_ keys: [DeadLetterKey], _ event: DeadLetterEvent) async throws(StoreError) {
    _ = change(keys) { row, _ in
      guard row.letter.state == .replaying, !row.isPublished else { return false }
      row.letter.state = .parked
      row.letter.history.append(event)
      return true
    }
  }

  package func progress(_ keys: [DeadLetterKey]) async throws(StoreError) -> [DeadLetterKey: ReplayProgress] {
    tables.withLock { tables in
      var progress: [DeadLetterKey: ReplayProgress] = [:]
      for key in keys {
        guard let row = tables.rows[key] else { continue }
        let claim = tables.claim(of: row)
        let isDone = row.letter.state == .resolved || claim != nil
        progress[key] = claim?.outcome == "rejected" ? .rejected(.outOfStock) : isDone ? .done : row.letter.state == .replaying ? .underWay : .failed
      }
      return progress
    }
  }

  package func discard(_ keys: [DeadLetterKey], _ event: DeadLetterEvent, audit: [AuditEntry]) async throws(StoreError) -> Set<DeadLetterKey> {
    let discarded = change(keys) { row, now in
      guard row.letter.state == .parked else { return false }
      row.letter.state = .discarded
      row.settledAt = now
      row.letter.history.append(event)
      return true
    }
    tables.withLock { $0.audit += zip(keys, audit).filter { discarded.contains($0.0) }.map(\.1) }
    return discarded
  }

  package func audit(_ entries: [AuditEntry]) async throws(StoreError) { tables.withLock { $0.audit += entries } }

  package func settle(after position: DeadLetterKey?, limit: Int) async throws(StoreError) -> (settled: Int, next: DeadLetterKey?) {
    tables.withLock { tables in
      let open = tables.rows.values.filter { $0.letter.state == .parked || $0.letter.state == .replaying }.map(\.letter.key).sorted()
      let page = open.filter { key in position.map { key > $0 } ?? true }.prefix(limit)
      var settled = 0
      for key in Set(page).union(open.filter { tables.rows[$0]!.letter.state == .replaying }) {
        guard let outcome = tables.claim(of: tables.rows[key]!)?.outcome else { continue }
        tables.rows[key]!.letter.state = .resolved
        tables.rows[key]!.settledAt = tables.now
        tables.rows[key]!.letter.history.append(DeadLetterEvent(at: tables.now, what: "resolved: the command was \(outcome)", actor: "order-worker"))
        settled += 1
      }
      return (settled, page.count == limit ? page.last : nil)
    }
  }

  package func takeBack(patience: Duration) async throws(StoreError) -> Int {
    let keys = all.map(\.key)
    return change(keys) { row, now in
      guard row.letter.state == .replaying, !row.isPublished, row.claimedAt! + patience < now else { return false }
      row.letter.state = .parked
      return true
    }.count
  }

  package func trim(_ retention: DeadLetterRetention, limit: Int) async throws(StoreError) -> Int {
    tables.withLock { tables in
      let now = tables.now
      let unusable = tables.rows.values.filter { row in
        row.letter.state == .parked && [.malformed, .unauthenticated].contains(row.letter.reason) && row.letter.principal == nil
      }.sorted { $0.letter.failedAt > $1.letter.failedAt }
      let old = tables.rows.values.filter { $0.settledAt.map { $0 + retention.settled < now } ?? false }
      let keys = Set(
        (old + unusable.filter { $0.letter.failedAt + retention.unusable < now } + unusable.dropFirst(retention.mostUnusable)).map(\.letter.key)
      ).prefix(limit)
      for key in keys { tables.rows[key] = nil }
      return keys.count
    }
  }

  package func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool { true }
  package func release(holder: String) async throws(StoreError) {}
}

extension InMemoryDeadLetterStore.Tables {
  func claim(of row: InMemoryDeadLetterStore.Row) -> (command: CommandType, mark: ClaimMark, outcome: String?)? {
    guard let claim = done["\(row.letter.key.tenant) \(row.letter.commandID)"], claim.command == row.letter.command else { return nil }
    return claim.mark == row.letter.mark || claim.mark == row.replayMark ? claim : nil
  }
}
