/// Who alone does what must be done by one worker at a time: a lease by the store's clock.
package protocol Leadership: Sendable {
  /// Takes or keeps the lease for `duration`; false where another holds it.
  func lease(holder: String, for duration: Duration) async throws(StoreError) -> Bool
  /// Gives the lease back, if it is ours.
  func release(holder: String) async throws(StoreError)
}
