import Domain

/// What a replay of a dead letter would come to, as its order is now.
package enum ReplayVerdict: String, Sendable, CaseIterable {
  /// It would be accepted.
  case applies
  /// What it asks for is done: by itself, or by another command.
  case alreadyApplied = "already_applied"
  /// The order has gone on since.
  case superseded
  /// It would be refused, or be dead-lettered again.
  case illegal
}

extension ReplayVerdict {
  /// `facts` are those that the command was decided on.
  init(_ disposition: Disposition, of envelope: CommandEnvelope, _ facts: BatchFacts) {
    switch disposition {
    case .awaitsPayment: self = .applies
    case .duplicate: self = .alreadyApplied
    // It waits for another's payment; or for its own, and then it was done.
    case .paymentOpen: self = facts.claims[envelope.identity] == nil ? .applies : .alreadyApplied
    case .early, .deadLettered: self = .illegal
    case .decided(let result):
      guard let rejection = result.rejection else {
        self = .applies
        return
      }
      self = Self.refused(rejection.code, result, envelope, facts.orders[envelope.orderKey])
    }
  }

  private static func refused(_ code: RejectionCode, _ result: CommandResult, _ envelope: CommandEnvelope, _ order: Order?) -> ReplayVerdict {
    switch (code, envelope.command) {
    case (.alreadyExists, _), (.versionConflict, _): return .superseded
    case (.illegalTransition, .updateStatus(let update)):
      guard let order else { return .illegal }
      if order.status == update.status { return .alreadyApplied }
      let isSetByCommands = TransitionTable.rows.contains { $0.cause == .update && $0.to == update.status }
      return isSetByCommands && TransitionTable.leads(from: update.status, to: order.status) ? .superseded : .illegal
    // Made, if not confirmed: that is done by another command.
    case (_, .create): return result.status == .pending ? .applies : .illegal
    default: return .illegal
    }
  }

  /// Why it is so, for people.
  static func reason(_ disposition: Disposition) -> String? {
    switch disposition {
    case .decided(let result): result.rejection.map { "\($0.code.rawValue): \($0.message)" }
    case .early: "its order is not there, or has not come to its expected_version"
    case .deadLettered(let refusal): "\(refusal.reason.rawValue): \(refusal.error)"
    case .paymentOpen: "a payment of its order is open: it would wait for that"
    case .duplicate: "its id was decided before"
    case .awaitsPayment: nil
    }
  }
}
