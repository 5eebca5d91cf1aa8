import Domain

/// Who or what is behind a version: a command, the payment that it asked for, or the clock.
struct Cause {
  let tenant: TenantID
  /// The command's message id; of the worker's own commands a name in its place.
  let message: MessageID
  let actor: String
  let reason: String?
  let correlationID: String
  let traceparent: String?

  init(_ envelope: CommandEnvelope) {
    tenant = envelope.identity.tenant
    message = envelope.identity.message
    actor = envelope.principal.subject
    reason = envelope.command.reason
    correlationID = envelope.correlationID
    traceparent = envelope.traceparent
  }

  init(_ payment: PaymentCause) {
    tenant = payment.identity.tenant
    message = payment.identity.message
    actor = payment.actor
    reason = payment.reason
    correlationID = payment.correlationID
    traceparent = payment.traceparent
  }

  /// The clock, by the worker.
  init(expiryOf order: OrderKey) {
    tenant = order.tenant
    message = MessageID("expire-\(order.order)")!  // 43 plain characters
    actor = "order-worker"
    reason = nil
    correlationID = message.rawValue
    traceparent = nil
  }

  func context(at now: Timestamp) -> EventContext {
    EventContext(correlationID: correlationID, causationID: message.rawValue, traceparent: traceparent, at: now)
  }
}
