import Domain
import Pacing

/// The second stage: one transaction for each batch, run again as often as it takes.
extension CommandPipeline {
  func transact(from prepared: Handover<PreparedBatch>, into transacted: Handover<TransactedBatch>) async {
    while let next = await prepared.next() {
      var batch = TransactedBatch()
      let goesOn =
        switch next {
        case .deliveries(let deliveries): await transact(deliveries, into: &batch)
        case .own(let entries): await transact(entries[...], into: &batch)
        }
      if case .own(let entries) = next { for entry in entries { entry.finish() } }
      guard goesOn else { break }
      await transacted.send(batch)
    }
    // Stopped with the store away: what the stage before still hands over goes back whole.
    while let rest = await prepared.next() {
      if case .own(let entries) = rest { for entry in entries { entry.finish() } }
    }
    transacted.finish()
  }

  private func transact(_ deliveries: [PreparedDelivery], into batch: inout TransactedBatch) async -> Bool {
    ports.journal.note(.batch(size: deliveries.count))
    var commands: [(ReceivedMessage, CommandEnvelope)] = []
    for delivery in deliveries {
      switch delivery.reading {
      case .command(let envelope): commands.append((delivery.received, envelope))
      case .refused(let refusal): batch.refused.append(RefusedDelivery(received: delivery.received, refusal: refusal))
      }
    }
    return await transact(commands[...], into: &batch)
  }

  /// Decides and commits `commands`, in halves where one of them is at fault. False where the worker was stopped while the store was away.
  private func transact(_ commands: ArraySlice<(ReceivedMessage, CommandEnvelope)>, into batch: inout TransactedBatch) async -> Bool {
    guard !commands.isEmpty else { return true }
    switch await commit(decider(for: commands.map(\.1))) {
    case .committed(let outcome, let transaction):
      batch.add(outcome, of: commands, in: transaction)
      return true
    case .stopped: return false
    case .refused(let error):
      if commands.count == 1 {
        let (received, envelope) = commands.first!
        batch.failed.append(FailedDelivery(received: received, envelope: envelope, error: error))
        return true
      }
      let middle = commands.startIndex + commands.count / 2
      guard await transact(commands[..<middle], into: &batch) else { return false }
      return await transact(commands[middle...], into: &batch)
    }
  }

  /// The same for the worker's own. One that the store refuses is let go: it is found again, a payment by the end of its lease, an expiry by the next look.
  private func transact(_ own: ArraySlice<OwnCommands.Entry>, into batch: inout TransactedBatch) async -> Bool {
    guard !own.isEmpty else { return true }
    switch await commit(BatchDecider(commands: [], own: own.map(\.command), encoder: ports.encoder, terms: settings.terms)) {
    case .committed(let outcome, _):
      batch.add(outcome, of: [], in: nil)
      return true
    case .stopped: return false
    case .refused(let error):
      if own.count == 1 {
        ports.journal.note(.ownCommandFailed(CommandReference(own.first!.command), error: error))
        return true
      }
      let middle = own.startIndex + own.count / 2
      guard await transact(own[..<middle], into: &batch) else { return false }
      return await transact(own[middle...], into: &batch)
    }
  }

  func decider(for commands: [CommandEnvelope]) -> BatchDecider {
    BatchDecider(commands: commands, encoder: ports.encoder, terms: settings.terms)
  }

  enum Commit: Sendable {
    /// With the transaction's place in a trace that is recorded.
    case committed(BatchOutcome, TraceContext?)
    case refused(String), stopped
  }

  /// Runs one batch's transaction until it is committed or refused; a store that is away is waited for and counts nothing.
  func commit(_ decider: BatchDecider) async -> Commit {
    let keys = decider.keys
    var runs = 0
    var blockedRuns = 0
    var away = false
    let begin = settings.now()
    var (awayBackoff, conflictBackoff) = (settings.retries.whileAway, settings.retries.betweenConflicts)
    while true {
      let sent = sweeper.take()
      do {
        let outcome = try await ports.store.transact(keys, sent: sent) { decider.decide($0) }
        sweeper.deleted(sent)
        if away { ports.journal.note(.storeAvailable) }
        note(outcome.concluded)
        for amount in outcome.captured { ports.journal.note(.captured(amount)) }
        if outcome.opensPayments { ports.paymentsOpened() }
        return .committed(outcome, traceTransaction(decider, outcome, runs: runs + blockedRuns + 1, begin: begin))
      } catch {
        sweeper.putBack(sent)
        switch error {
        case .unavailable(let reason):
          if !away { ports.journal.note(.storeUnavailable(reason)) }
          away = true
          if isDraining || Task.isCancelled {
            giveBack()
            return .stopped
          }
          await ports.store.untilAvailable()
          // A server that answers and cannot work (out of disk, without a table) is not asked without pause.
          try? await clock.sleep(for: awayBackoff.next(chance: settings.jitter()))
        case .conflict(let reason):
          runs += 1
          ports.journal.note(.conflict(reason, run: runs))
          if runs >= settings.retries.conflictRuns { return .refused(reason) }
          if Task.isCancelled { return .stopped }
          try? await clock.sleep(for: conflictBackoff.next(chance: settings.jitter()))
        case .blocked(let reason):
          blockedRuns += 1
          ports.journal.note(.conflict(reason, run: blockedRuns))
          if blockedRuns >= settings.retries.blockedRuns { return .refused(reason) }
          if Task.isCancelled { return .stopped }
        case .refused(let reason): return .refused(reason)
        }
      }
    }
  }
}

extension TransactedBatch {
  mutating func add(_ outcome: BatchOutcome, of commands: ArraySlice<(ReceivedMessage, CommandEnvelope)>, in transaction: TraceContext?) {
    func delivery(_ received: ReceivedMessage, _ envelope: CommandEnvelope, _ reply: ReplyOutcome?) -> DoneDelivery {
      DoneDelivery(received: received, envelope: envelope, reply: reply, transaction: transaction)
    }

    events += outcome.events
    snapshots += outcome.snapshots
    replies += outcome.replies
    for ((received, envelope), disposition) in zip(commands, outcome.dispositions) {
      switch disposition {
      case .decided(let result): done.append(delivery(received, envelope, .first(result)))
      case .duplicate(let result): done.append(delivery(received, envelope, .duplicate(result)))
      case .awaitsPayment: done.append(delivery(received, envelope, nil))
      case .early: waiting.append(WaitingDelivery(received: received, envelope: envelope, reason: .early))
      case .paymentOpen: waiting.append(WaitingDelivery(received: received, envelope: envelope, reason: .paymentOpen))
      case .deadLettered(let refusal): refused.append(RefusedDelivery(received: received, refusal: refusal, envelope: envelope))
      }
    }
  }
}
