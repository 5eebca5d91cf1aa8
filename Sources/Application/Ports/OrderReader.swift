import Domain

/// Orders as they are committed, for those who ask.
package protocol OrderReader: Sendable {
  func orders(_ keys: [OrderKey]) async throws(StoreError) -> [OrderKey: Order]
  /// Every version of an order, the oldest first; empty where there is no such order.
  func history(of order: OrderKey) async throws(StoreError) -> [HistoryEntry]
  /// Newest first by creation and id; what stands behind `position`, at most `limit`.
  func list(_ filter: OrderFilter, tenant: TenantID, after position: ListPosition?, limit: Int) async throws(StoreError) -> [Order]
}

/// Reads a query off a message, and writes its answer.
package protocol QueryCodec: Sendable {
  func decode(_ received: ReceivedMessage) -> DecodedQuery
  /// Returns after the next permitted look at the keys of the senders' tokens; at once where the task is cancelled.
  func keysLookedAt() async
  func order(_ order: Order) -> [UInt8]
  /// The answer to `query`, which a list's cursor is bound to.
  func reply(_ answer: QueryAnswer, to envelope: QueryEnvelope?) -> [UInt8]
}
