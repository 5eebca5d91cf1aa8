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

  /// That rows were dropped, and where the chains then stood that lost some: now and in all the times before.
  package init(dropping what: String, heads: String, by actor: String, at now: Timestamp) {
    self.init(
      tenant: .standard, at: now, actor: actor, action: Self.drop, message: MessageID("audit")!,  // plain characters
      order: nil, outcome: "accepted", correlationID: "audit", traceparent: nil, before: .note(what), after: .note(heads))
  }

  /// The actions of rows that tell where other chains stood.
  package static let anchor = "audit.anchor"
  package static let drop = "audit.drop"
}
