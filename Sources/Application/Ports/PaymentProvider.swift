import Domain

/// One call of a payment provider, exactly as it is sent and as it is sent again: kept with the operation's row before the first try.
package struct PaymentCall: Hashable, Sendable {
  /// The idempotency key: the same in every repeat, and no other call's.
  package let key: String
  /// Where it goes, in the provider's own terms: the path of a URL.
  package let target: String
  package let body: [UInt8]

  package init(key: String, target: String, body: [UInt8]) {
    self.key = key
    self.target = target
    self.body = body
  }
}

/// Makes the call of an operation, purely: the same operation gives the same bytes.
package protocol PaymentCallEncoder: Sendable {
  func call(for operation: PaymentOperation, of order: Order) -> PaymentCall
}

/// What a call came to.
package enum PaymentAnswer: Hashable, Sendable {
  /// The provider answered this key: done, declined, or in no state that allows it. It will say the same again.
  case known(PaymentResult)
  /// It had no effect: refused before anything was done, or never sent. Worth trying again after `retryAfter`, which the adapter gives where
  /// the provider is overloaded or cannot be reached; nil where it refused this one call: then when the caller thinks fit.
  case noEffect(reason: String, retryAfter: Duration?)
  /// The provider does not know the key: no call of it has had an effect so far. One that is still on its way may yet have one.
  case neverCame
  /// What a key did is not told by looking it up; asking again tells.
  case notTold
  /// Nobody can tell whether it had an effect. To be asked again with the same key and bytes.
  case unknown(reason: String)
}

/// Holds and takes money. A call may take as long as its deadline; it never throws.
package protocol PaymentProvider: Sendable {
  /// `isRepeat` where the key was sent before. `trace` goes with the call, so that it can be followed.
  func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer

  /// How long every call would be refused, so that none need be begun; nil where one may be let through.
  var pause: Duration? { get }

  /// What was answered to the call's key. It never has an effect.
  func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer
}

extension PaymentProvider {
  package var pause: Duration? { nil }
}
