import Domain

extension AuditEntry {
  /// What somebody did, or tried, on the operator's command line.
  package init(_ action: String, by actor: String, in tenant: TenantID, outcome: String = "accepted", at now: Timestamp) {
    self.init(
      tenant: tenant, at: now, actor: actor, action: action, message: MessageID("command-line")!,  // plain characters
      order: nil, outcome: outcome, correlationID: "command-line", traceparent: nil, before: nil, after: nil)
  }
}
