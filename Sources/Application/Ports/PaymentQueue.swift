import Domain

/// An operation that one executor may call the provider for, for as long as its lease runs.
package struct LeasedPayment: Sendable {
  package let key: PaymentKey
  package let call: PaymentCall
  package let lease: UUIDValue
  /// Whether its key was sent before.
  package let isRepeat: Bool
  /// Whether what its earlier calls did is unknown, and all their leases are over: the provider is asked what it knows of the key.
  package let looksUp: Bool
  /// Whether it is settled as unavailable although a call may still be on its way: it is looked up, and never called again.
  package let isGivenUp: Bool
  package let trace: CommandReference

  package init(key: PaymentKey, call: PaymentCall, lease: UUIDValue, isRepeat: Bool, looksUp: Bool = false, isGivenUp: Bool = false, trace: CommandReference) {
    self.key = key
    self.call = call
    self.lease = lease
    self.isRepeat = isRepeat
    self.looksUp = looksUp
    self.isGivenUp = isGivenUp
    self.trace = trace
  }
}

/// The open payments, and those that were given up and are still watched, as those who call the provider see them.
package protocol PaymentQueue: Sendable {
  /// Takes up to `limit` operations that are due and in nobody's hands, each for `duration` of the store's clock. One whose earlier lease ended
  /// without a result is unknown from here on.
  ///
  /// `age` where the provider will not be called: then only those of which something may have to be said all the same, since it is not known what
  /// they did, or since they have been open for so long.
  func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment]
}
