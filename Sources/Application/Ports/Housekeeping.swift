import Domain

/// What time alone makes necessary.
package protocol Housekeeping: Leadership {
  /// Orders that have been pending for longer than `lifetime` without an open payment, the oldest first, at most `limit`.
  func expirable(after lifetime: Duration, limit: Int) async throws(StoreError) -> [OrderKey]
  /// Writes down where the chains of audit rows stand, if any has grown since this was done last.
  func anchorAudit(by holder: String) async throws(StoreError)
  /// Empties the request and the command of at most `limit` payments that were settled longer than `age` ago; returns of how many.
  func trimPayments(olderThan age: Duration, limit: Int) async throws(StoreError) -> Int
}
