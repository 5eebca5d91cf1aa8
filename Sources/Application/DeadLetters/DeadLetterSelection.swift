import Domain

/// The dead letters that an operator's command is about, handed out in pages: however many there are, a page is in memory.
package struct DeadLetterSelection: Sendable {
  private enum Source: Sendable {
    case named([DeadLetter])
    case filtered(DeadLetterFilter, TenantID, until: Timestamp, after: DeadLetterPosition?)
  }
  private var source: Source
  private let store: any DeadLetterStore

  /// Letters that were named one by one.
  package init(_ letters: [DeadLetter], store: any DeadLetterStore) {
    source = .named(letters)
    self.store = store
  }

  /// Oldest first, up to the newest that is there now. One that fails again while the command runs stands behind that, and is not met a
  /// second time; the clock of who looks, which may be another machine's, has no say in it.
  package init(_ filter: DeadLetterFilter, tenant: TenantID, store: any DeadLetterStore) async throws(StoreError) {
    let newest = try await store.newest(filter, tenant: tenant, after: nil, limit: 1).first
    source = newest.map { .filtered(filter, tenant, until: $0.failedAt, after: nil) } ?? .named([])
    self.store = store
  }

  /// How many there are, as far as that can be told before.
  package func count() async throws(StoreError) -> Int64 {
    switch source {
    case .named(let letters): Int64(letters.count)
    case .filtered(let filter, let tenant, _, _): try await store.count(filter, tenant: tenant)
    }
  }

  /// Empty at the end.
  package mutating func next(_ limit: Int) async throws(StoreError) -> [DeadLetter] {
    switch source {
    case .named(let letters):
      source = .named(Array(letters.dropFirst(limit)))
      return Array(letters.prefix(limit))
    case .filtered(let filter, let tenant, let end, let position):
      let page = try await store.oldest(filter, tenant: tenant, until: end, after: position, limit: limit)
      if let last = page.last {
        source = .filtered(filter, tenant, until: end, after: DeadLetterPosition(failedAt: last.failedAt, id: last.key.id))
      }
      return page
    }
  }
}
