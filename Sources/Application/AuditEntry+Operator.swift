import Domain

extension AuditEntry {
  /// What somebody did, or tried, on the operator's command line. `before` and `after` are of what it changed.
  package init(
    _ action: String, by actor: String, in tenant: TenantID, outcome: String = "accepted", at now: Timestamp, about: String = "command-line",
    before: AuditState? = nil, after: AuditState? = nil
  ) {
    self.init(
      tenant: tenant, at: now, actor: actor, action: action, message: MessageID("command-line")!,  // plain characters
      order: nil, outcome: outcome, correlationID: about, traceparent: nil, before: before, after: after)
  }

  /// Where chains of audit rows stood: whoever takes rows from the end of one would have to change this, too.
  package init(anchoring heads: String, by actor: String, at now: Timestamp) {
    self.init(
      tenant: .standard, at: now, actor: actor, action: Self.anchor, message: MessageID("audit")!,  // plain characters
      order: nil, outcome: "accepted", correlationID: "audit", traceparent: nil, before: nil, after: .note(heads))
  }

  /// The action of rows that anchor chains.
  package static let anchor = "audit.anchor"
}
