import Domain

extension AuditEntry {
  /// What an operator did with a dead letter.
  package init(_ action: DeadLetterAction, of letter: DeadLetter, by actor: String, at now: Timestamp) {
    self.init(
      tenant: letter.key.tenant, at: now, actor: actor, action: "dead_letter.\(action.rawValue)",
      message: MessageID(letter.commandID) ?? MessageID("dl-\(letter.key.id)")!,  // 39 plain characters
      order: letter.order, outcome: "accepted", correlationID: letter.key.id.description, traceparent: nil, before: nil, after: nil)
  }

  /// What an operator did with many dead letters at once.
  package init(_ action: DeadLetterAction, ofAllOf tenant: TenantID, by actor: String, at now: Timestamp) {
    self.init(
      tenant: tenant, at: now, actor: actor, action: "dead_letter.\(action.rawValue)", message: MessageID("dead-letters")!,  // plain characters
      order: nil, outcome: "accepted", correlationID: "dead-letters", traceparent: nil, before: nil, after: nil)
  }
}

/// What operators do with dead letters that is told in the audit log.
package enum DeadLetterAction: String, Sendable { case replay, edit, discard, reveal }
