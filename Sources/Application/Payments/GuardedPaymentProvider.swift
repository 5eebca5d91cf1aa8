import Domain

/// A payment provider behind a guard: what the guard does not let through had no effect.
package struct GuardedPaymentProvider: PaymentProvider {
  private let provider: any PaymentProvider
  private let adapterGuard: AdapterGuard
  private let operation: @Sendable (PaymentCall) -> String

  /// `operation` names a call for the metrics, by what only the adapter's encoder knows.
  package init(_ provider: any PaymentProvider, guard adapterGuard: AdapterGuard, operation: @escaping @Sendable (PaymentCall) -> String) {
    self.provider = provider
    self.adapterGuard = adapterGuard
    self.operation = operation
  }

  package var breaker: BreakerState { adapterGuard.breaker }

  package var pause: Duration? { adapterGuard.pause }

  package func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
    await guarded(operation(call), isRepeat: isRepeat) { [provider] in await provider.perform(call, isRepeat: isRepeat, trace: trace) }
  }

  package func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer {
    await guarded("look_up", isRepeat: true) { [provider] in await provider.lookUp(call, trace: trace) }
  }

  private func guarded(_ operation: String, isRepeat: Bool, _ body: @escaping @Sendable () async -> PaymentAnswer) async -> PaymentAnswer {
    do throws(AdapterGuard.Refusal) {
      return try await adapterGuard.run(operation: operation, isRepeat: isRepeat, judge: { Self.judge($0, isRepeat: isRepeat) }, body)
    } catch {
      return .noEffect(reason: "not sent: \(error.reason.rawValue)", retryAfter: error.retryAfter)
    }
  }

  private static func judge(_ answer: PaymentAnswer, isRepeat: Bool) -> (health: CallHealth, outcome: String, reason: String?) {
    switch answer {
    case .known(.succeeded): (.well, "succeeded", nil)
    case .known(.declined): (.well, "declined", nil)
    case .known(.conflict): (.well, "conflict", nil)
    case .known(.unavailable): (.well, "unavailable", nil)
    case .neverCame: (.well, "never_came", nil)
    case .notTold: (.neither, "not_told", nil)
    // Whoever is overloaded or cannot be reached says when to come back; without that, it is this call that is refused.
    case .noEffect(let reason, .some): (isRepeat ? .stillIll : .ill, "no_effect", reason)
    case .noEffect(let reason, nil): (.neither, "refused", reason)
    case .unknown(let reason): (.ill, "unknown", reason)
    }
  }
}
