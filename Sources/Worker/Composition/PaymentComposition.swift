import Application
import Domain
import HTTPPaymentAdapter
import Logging
import Operations

/// The payment provider that the settings ask for, behind its guard.
struct PaymentComposition: Sendable {
  let encoder: any PaymentCallEncoder
  let provider: GuardedPaymentProvider
  /// Calls at one time; more at once are refused.
  static let concurrency = 64

  private let adapter: HTTPPaymentProvider

  /// Nil where no provider is set. Calls nobody yet; what is known of the provider goes to `health`. Throws a `ConfigurationFaults`.
  static func make(_ settings: WorkerSettings, health: HealthRegistry, log: Logger, observer: any AdapterObserver, tracer: any Tracer = NoTracing()) throws
    -> PaymentComposition?
  {
    guard settings.paymentProvider != .none else { return nil }
    let endpoint = try PaymentRules.endpoint(settings.paymentProvider, url: settings.paymentURL, token: settings.paymentToken)
    let adapter = HTTPPaymentProvider(endpoint: endpoint, timeout: settings.paymentTimeout, connections: concurrency, log: log, tracer: tracer, now: { .now })
    health.set(.payment, .up, detail: "\(endpoint.name), not asked yet")
    let observers = PaymentHealthObserver(next: observer, health: health, provider: endpoint.name)
    // Told from the start, not only once it changes.
    observer.breakerChanged(adapter: "payment", to: .closed, reason: nil)
    let adapterGuard = AdapterGuard(
      adapter: "payment", limits: .init(deadline: settings.paymentTimeout, concurrency: concurrency), observer: observers)
    let provider = GuardedPaymentProvider(adapter, guard: adapterGuard, operation: HTTPPaymentCallEncoder.operation)
    return PaymentComposition(encoder: HTTPPaymentCallEncoder(), provider: provider, adapter: adapter)
  }

  /// To be called once, when no call is under way any more.
  func close() async { await adapter.close() }
}

/// Shows in health where the provider's breaker stands.
private struct PaymentHealthObserver: AdapterObserver {
  let next: any AdapterObserver
  let health: HealthRegistry
  let provider: String

  func called(adapter: String, operation: String, outcome: String, took: Duration) {
    next.called(adapter: adapter, operation: operation, outcome: outcome, took: took)
  }

  func breakerChanged(adapter: String, to state: BreakerState, reason: String?) {
    switch state {
    case .closed: health.set(.payment, .up, detail: provider)
    case .halfOpen: health.set(.payment, .degraded, detail: "\(provider): being tried again")
    case .open: health.set(.payment, .down, detail: "\(provider): left alone for a while; \(reason ?? "calls fail")")
    }
    next.breakerChanged(adapter: adapter, to: state, reason: reason)
  }
}
