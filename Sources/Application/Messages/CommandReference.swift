import Domain

/// What names one command in a log line, and follows it to the provider: as much of it as is known.
package struct CommandReference: Hashable, Sendable {
  package let messageID: String?
  package let correlationID: String?
  package let tenant: TenantID?
  package let order: OrderID?
  /// W3C `traceparent`.
  package let traceparent: String?

  package init(messageID: String? = nil, correlationID: String? = nil, tenant: TenantID? = nil, order: OrderID? = nil, traceparent: String? = nil) {
    self.messageID = messageID
    self.correlationID = correlationID
    self.tenant = tenant
    self.order = order
    self.traceparent = traceparent
  }

  package init(_ envelope: CommandEnvelope) {
    self.init(
      messageID: envelope.identity.message.rawValue, correlationID: envelope.correlationID, tenant: envelope.identity.tenant,
      order: envelope.command.order, traceparent: envelope.traceparent)
  }

  package init(_ refusal: Refusal) {
    self.init(
      messageID: refusal.messageID, correlationID: refusal.correlationID, tenant: refusal.principal?.tenant, order: refusal.order,
      traceparent: refusal.traceparent)
  }

  /// The command behind a payment operation.
  package init(_ payment: PaymentCause, order: OrderID) {
    self.init(
      messageID: payment.identity.message.rawValue, correlationID: payment.correlationID, tenant: payment.identity.tenant, order: order,
      traceparent: payment.traceparent)
  }

  /// One of the worker's own.
  init(_ own: OwnCommand) {
    switch own {
    case .paymentAnswered(let report): self = report.trace ?? CommandReference(tenant: report.key.order.tenant, order: report.key.order.order)
    case .expire(let key):
      let cause = Cause(expiryOf: key)
      self.init(messageID: cause.message.rawValue, correlationID: cause.correlationID, tenant: key.tenant, order: key.order)
    }
  }

  /// The members of a log line, by the names that the contract gives them.
  package var fields: [String: String] {
    var fields: [String: String] = [:]
    fields["message_id"] = messageID
    fields["correlation_id"] = correlationID
    fields["tenant_id"] = tenant?.rawValue
    fields["order_id"] = order?.description
    fields["trace_id"] = traceID
    return fields
  }

  /// The second part of `traceparent`.
  private var traceID: String? {
    guard let parts = traceparent?.split(separator: "-", omittingEmptySubsequences: false), parts.count > 1 else { return nil }
    return String(parts[1])
  }
}
