import Application
import Domain
import Synchronization

/// The store of dead letters in memory, with faults on demand.
package final class InMemoryDeadLetterStore: DeadLetterStore {
  struct Row: Sendable {
    var letter: DeadLetter
    var claimedAt: Timestamp?
    var isPublished = false
    var replayMark: ClaimMark?
    var settledAt: Timestamp?
  }

  struct Tables: Sendable {
    var rows: [DeadLetterKey: Row] = [:]
    var audit: [AuditEntry] = []
    /// Claims on commands' ids, by tenant and id.
    var done: [String: (command: CommandType, mark: ClaimMark, outcome: String?)] = [:]
    var now = DeadLetterStoreContract.start
  }

  let tables = Mutex(Tables())
  private let faults: Mutex<[StoreError]>

  /// `faults` are what the first calls of `ingest` fail with.
  package init(faults: [StoreError] = []) { self.faults = Mutex(faults) }

  package var all: [DeadLetter] { tables.withLock { $0.rows.values.map(\.letter).sorted { $0.key < $1.key } } }

  package func ingest(_ arrivals: [DeadLetterArrival]) async throws(StoreError) {
    let fault = faults.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    if let fault { throw fault }
    tables.withLock { tables in
      for arrival in arrivals {
        let next = arrival.letter
        guard var row = tables.rows[next.key] else {
          tables.rows[next.key] = Row(letter: next)
          tables.audit.append(AuditEntry(refused: arrival))
          continue
        }
        var letter: DeadLetter {
          get { row.letter }
          set { row.letter = newValue }
        }
        let failures = next.history.filter { $0.what.hasPrefix(DeadLetterEvent.failure(isReplay: true)) }
        let isNew = next.failedAt > letter.failedAt || letter.state == .replaying && !failures.allSatisfy(letter.history.contains)
        guard arrival.isDated, isNew else { continue }
        tables.audit.append(AuditEntry(refused: arrival))
        letter.reason = next.reason
        letter.error = next.error
        letter.attempts = next.attempts
        letter.state = .parked
        letter.firstFailedAt = min(letter.firstFailedAt, next.firstFailedAt)
        letter.failedAt = max(letter.failedAt, next.failedAt)
        letter.history += next.history
        row.claimedAt = nil
        row.isPublished = false
        row.settledAt = nil
        tables.rows[next.key] = row
      }
    }
  }

  func matching(_ filter: DeadLetterFilter, _ tenant: TenantID) -> [DeadLetter] {
    all.filter { letter in
      letter.key.tenant == tenant && filter.states?.contains(letter.state) ?? true && filter.reason ?? letter.reason == letter.reason
        && (filter.type == nil || filter.type == letter.type || filter.type == letter.command?.rawValue)
        && letter.failedAt >= filter.since ?? letter.failedAt && (filter.order == nil || filter.order == letter.order)
        && (filter.error == nil || letter.error.contains(filter.error!) || DeadLetter.pattern(of: letter.error) == filter.error)
    }
  }

  package func newest(
    _ filter: DeadLetterFilter, tenant: TenantID, after position: DeadLetterPosition?, limit: Int
  ) async throws(StoreError) -> [DeadLetter] {
    func stands(_ letter: DeadLetter, behind position: DeadLetterPosition) -> Bool {
      letter.failedAt != position.failedAt ? letter.failedAt < position.failedAt : letter.key.id < position.id
    }
    let rows = matching(filter, tenant).filter { letter in position.map { stands(letter, behind: $0) } ?? true }
    return Array(rows.sorted { $0.failedAt != $1.failedAt ? $0.failedAt > $1.failedAt : $0.key.id > $1.key.id }.prefix(limit))
  }

  package func groups(
    _ filter: DeadLetterFilter, tenant: TenantID, by grouping: DeadLetterGrouping, limit: Int
  ) async throws(StoreError) -> [DeadLetterGroup] {
    let groups = Dictionary(grouping: matching(filter, tenant)) { letter -> String? in
      switch grouping {
      case .reason: letter.reason.rawValue
      case .error: DeadLetter.pattern(of: letter.error)
      case .type: letter.command?.rawValue ?? letter.type
      }
    }
    let rows = groups.map { name, letters in
      DeadLetterGroup(name: name, count: Int64(letters.count), oldest: letters.map(\.failedAt).min()!, newest: letters.map(\.failedAt).max()!)
    }
    return Array(rows.sorted { $0.count != $1.count ? $0.count > $1.count : ($0.name ?? "~") < ($1.name ?? "~") }.prefix(limit))
  }

  package func count(_ filter: DeadLetterFilter, tenant: TenantID) async throws(StoreError) -> Int64 { Int64(matching(filter, tenant).count) }

  package func find(_ ids: ClosedRange<UUIDValue>, tenant: TenantID, limit: Int) async throws(StoreError) -> [DeadLetter] {
    Array(all.filter { $0.key.tenant == tenant && ids.contains($0.key.id) }.prefix(limit))
  }

  package func untilAvailable() async { await Task.yield() }
}
