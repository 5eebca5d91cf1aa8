import Application
import Domain
import HTTPPaymentAdapter
import Logging
import PostgresAdapter
import PostgresClient

/// The open payments, with failpoints around their lease.
struct PostgresPaymentQueue: PaymentQueue {
  private let next: PostgresAdapter.PostgresPaymentQueue

  init(client: PostgresClient) { next = .init(client: client) }

  func lease(limit: Int, for duration: Duration, openFor age: Duration?) async throws(StoreError) -> [LeasedPayment] {
    Failpoint.beforeLease.reach()
    let leased = try await next.lease(limit: limit, for: duration, openFor: age)
    if !leased.isEmpty { Failpoint.afterLease.reach() }
    return leased
  }
}

/// The provider, with failpoints around each call that may have an effect.
struct HTTPPaymentProvider: PaymentProvider {
  private let next: HTTPPaymentAdapter.HTTPPaymentProvider

  init(endpoint: HTTPPaymentEndpoint, timeout: Duration, connections: Int, log: Logger, now: @escaping @Sendable () -> Timestamp) {
    next = .init(endpoint: endpoint, timeout: timeout, connections: connections, log: log, now: now)
  }

  func perform(_ call: PaymentCall, isRepeat: Bool, trace: CommandReference) async -> PaymentAnswer {
    Failpoint.beforeCall.reach()
    let answer = await next.perform(call, isRepeat: isRepeat, trace: trace)
    Failpoint.afterCall.reach()
    return answer
  }

  func lookUp(_ call: PaymentCall, trace: CommandReference) async -> PaymentAnswer { await next.lookUp(call, trace: trace) }

  func close() async { await next.close() }
}
