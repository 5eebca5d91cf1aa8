import Domain

extension AuditEntry {
  /// That a command was refused, or could not be done. Nobody is named where no sender was verified.
  package init(refused arrival: DeadLetterArrival) {
    let letter = arrival.letter
    self.init(
      tenant: letter.key.tenant, at: letter.failedAt, actor: letter.principal?.subject ?? Self.unverified,
      // A type that is none is the sender's own word, and may be that for an operator's act.
      action: letter.command?.rawValue ?? "unknown",
      message: letter.messageID.flatMap(MessageID.init) ?? MessageID("dl-\(letter.key.id)")!,  // 39 plain characters
      order: letter.order, outcome: letter.reason.rawValue, correlationID: arrival.correlationID ?? letter.commandID,
      traceparent: arrival.traceparent, before: nil, after: nil)
  }

  /// Stands for a sender whom nobody verified.
  private static let unverified = "(unverified)"

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
