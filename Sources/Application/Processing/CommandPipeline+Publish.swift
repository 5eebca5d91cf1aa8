import Domain
import Pacing

/// The last stage: cache, events, replies, acknowledgements.
extension CommandPipeline {
  /// Returns the events that stand behind older ones of another worker.
  func publish(_ batch: TransactedBatch) async -> [PendingEvent] {
    var replies: [Reply] = []
    note(batch.done.compactMap { done in done.reply.map { Conclusion(type: done.envelope.command.type, outcome: $0.word) } })
    for done in batch.done {
      let envelope = done.envelope
      guard let outcome = done.reply, let to = envelope.replyTo else { continue }
      let body = ports.encoder.reply(outcome, messageID: envelope.identity.message.rawValue)
      replies.append(Reply(to: to, correlationID: envelope.correlationID, body: body, traceparent: envelope.traceparent))
    }
    async let cached: Void = ports.cache.store(batch.snapshots)
    async let answered: Void = send(replies + batch.replies.map(\.reply))
    let behind = await publish(batch.events)
    await cached
    await answered
    // Sent once, whatever becomes of them.
    sweeper.confirmed(batch.replies.map(\.key))
    acknowledge(batch.done.map(\.received.tag))
    finish(batch.done)
    return behind
  }

  /// Tells how long they took.
  private func finish(_ done: [DoneDelivery]) {
    if done.isEmpty { return }
    let (instant, moment) = (ContinuousClock.now, settings.now())
    for type in CommandType.allCases {
      var finished = FinishedCommands()
      for done in done where done.envelope.command.type == type {
        // A replay is as old as somebody's sleep, and what is sent once more was in time the first time.
        let isFirst = done.envelope.journey.replay == nil && done.reply?.word != .duplicate
        let age = isFirst ? done.received.message.age(at: moment) : nil
        finished.add(took: instant - done.received.arrivedAt, age: age, trace: done.envelope.span?.context)
      }
      if !finished.took.isEmpty { ports.journal.note(.finished(type: type, finished)) }
    }
    for done in done where done.envelope.span != nil {
      traceEnd(
        done.received, done.envelope, done.reply?.word.rawValue ?? "awaits_payment", rejection: done.reply?.rejection, transaction: done.transaction)
    }
  }

  /// Notes are made of many commands at once: one of each would cost more than what it tells.
  func note(_ conclusions: [Conclusion]) {
    for (conclusion, count) in conclusions.tally { ports.journal.note(.answered(type: conclusion.type, outcome: conclusion.outcome, count: count)) }
  }

  /// Looks after 10, 20 and 40 ms whether the worker that has the older events has sent them; what still stands behind one is left to the relay.
  func publishLater(_ events: [PendingEvent]) async {
    var rest = events
    for pause in [10, 20, 40] where !rest.isEmpty && !leavesToRelay {
      try? await clock.sleep(for: .milliseconds(pause))
      guard let unsent = try? await ports.store.unsent(Set(rest.map(\.event.key.order)).sorted()) else { break }
      rest = await publish(rest.compactMap { $0.event.pending(unsent: unsent) })
    }
    if !rest.isEmpty { ports.journal.note(.eventsLeftToRelay(count: rest.count)) }
  }

  private func send(_ replies: [Reply]) async {
    if !replies.isEmpty { await ports.replies.send(replies) }
  }

  /// An order's next event goes only after the confirm of its previous one. Returns what stands behind one that is not known to be sent.
  private func publish(_ events: [PendingEvent]) async -> [PendingEvent] {
    var rest = events
    var held: Set<OrderKey> = []
    var behind: [PendingEvent] = []
    var unconfirmed = 0
    var left = 0
    while !rest.isEmpty {
      var round: [EncodedEvent] = []
      var next: [PendingEvent] = []
      var inRound: Set<OrderKey> = []
      for pending in rest {
        let order = pending.event.key.order
        if leavesToRelay {
          left += 1
        } else if held.contains(order) {
          behind.append(pending)
        } else if inRound.contains(order) {
          next.append(pending)
        } else if pending.behind.allSatisfy(sweeper.isPublished) {
          inRound.insert(order)
          round.append(pending.event)
        } else {
          held.insert(order)
          behind.append(pending)
        }
      }
      if round.isEmpty { break }
      let confirmed = await ports.events.publish(round)
      var sent: [OutboxKey] = []
      var types: [EventType: Int] = [:]
      for (event, isConfirmed) in zip(round, confirmed) {
        if isConfirmed {
          sent.append(event.key)
          types[event.type, default: 0] += 1
        } else {
          held.insert(event.key.order)
          unconfirmed += 1
        }
      }
      sweeper.confirmed(sent)
      for (type, count) in types { ports.journal.note(.eventsPublished(type: type, count: count)) }
      // A broker that is away must not hold up the end: the relay of another worker sends what is in the outbox.
      if isDraining && !confirmed.contains(true) { leaveEventsToRelay() }
      rest = next
    }
    if unconfirmed > 0 { ports.journal.note(.eventsUnconfirmed(count: unconfirmed)) }
    if left > 0 { ports.journal.note(.eventsLeftToRelay(count: left)) }
    return behind
  }

  /// Tries a command that failed by itself again: in place, then up the ladder, then to the dead letters. The others have gone on.
  func tryAgain(_ failed: FailedDelivery) async {
    let (received, envelope) = (failed.received, failed.envelope)
    let reference = CommandReference(envelope)
    var error = failed.error
    var journey = envelope.journey
    journey.firstFailedAt = journey.firstFailedAt ?? settings.now()
    while true {
      journey.attempt += 1
      switch settings.retries.step(afterFailures: journey.attempt, failsFast: journey.replay != nil) {
      case .wait(let pause):
        ports.journal.note(.failedInPlace(reference, attempt: journey.attempt, error: error))
        // As long as the policy says on average.
        try? await clock.sleep(for: Backoff.jittered(pause * 4 / 3, chance: settings.jitter()))
        switch await commit(decider(for: [envelope])) {
        case .committed(let outcome, let transaction):
          var batch = TransactedBatch()
          batch.add(outcome, of: [(received, envelope)], in: transaction)
          if !batch.refused.isEmpty { await park(batch.refused) }
          if !batch.waiting.isEmpty { await wait(batch.waiting) }
          return await publishLater(await publish(batch))
        case .refused(let reason): error = reason
        case .stopped: return
        }
      case .rung(let rung):
        let message = settings.forwarding.retry(received.message, envelope, rung: rung, journey: journey)
        guard await forwarded([message]) else { return }
        ports.journal.note(.retried(reference, rung: rung, attempt: journey.attempt, error: error))
        acknowledge([received.tag])
        return traceEnd(received, envelope, "retried", error: error)
      case .giveUp:
        let refusal = Refusal(.retriesExhausted, error, of: envelope, journey: journey)
        return await park([RefusedDelivery(received: received, refusal: refusal, envelope: envelope)])
      }
    }
  }

  /// Sends commands that have to wait up the ladder, whatever rungs are configured: no attempt is counted.
  func wait(_ waiting: [WaitingDelivery]) async {
    let messages = waiting.map { delivery in
      var journey = delivery.envelope.journey
      let rung: RetryRung
      switch delivery.reason {
      case .early:
        journey.earlyTries += 1
        rung = .oneSecond
      case .paymentOpen:
        journey.paymentWaits += 1
        rung = RetryRung.forPayment(wait: journey.paymentWaits)
      }
      return settings.forwarding.retry(delivery.received.message, delivery.envelope, rung: rung, journey: journey)
    }
    guard await forwarded(messages) else { return }
    acknowledge(waiting.map(\.received.tag))
    for delivery in waiting { traceEnd(delivery.received, delivery.envelope, delivery.reason.rawValue) }
    for reason in [WaitingDelivery.Reason.early, .paymentOpen] {
      let count = waiting.filter { $0.reason == reason }.count
      if count > 0 { ports.journal.note(.waits(count: count, reason: reason.rawValue)) }
    }
  }

  /// Dead-letters what cannot be done, answers, and acknowledges, in this order.
  func park(_ refused: [RefusedDelivery]) async {
    let now = settings.now()
    guard await forwarded(refused.map { settings.forwarding.deadLetter($0.received.message, $0.refusal, at: now) }) else { return }
    var replies: [Reply] = []
    for item in refused {
      let refusal = item.refusal
      ports.journal.note(
        .deadLettered(
          CommandReference(refusal), type: refusal.type.flatMap { CommandType(rawValue: $0) }, reason: refusal.reason, error: refusal.error))
      guard let to = refusal.replyTo else { continue }
      let body = ports.encoder.reply(.deadLettered(refusal.reason, error: refusal.error, faults: refusal.faults), messageID: refusal.messageID)
      replies.append(Reply(to: to, correlationID: refusal.correlationID ?? refusal.messageID, body: body, traceparent: refusal.traceparent))
    }
    await send(replies)
    acknowledge(refused.map(\.received.tag))
    for item in refused { traceEnd(item) }
  }

  /// Whether all these messages are safely in their queues. Tries for as long as the worker runs: the deliveries stay unsettled meanwhile.
  private func forwarded(_ messages: [Message]) async -> Bool {
    var rest = messages
    var backoff = settings.retries.whileNotForwarded
    while true {
      let outcomes = await ports.forwarder.forward(rest)
      rest = zip(rest, outcomes).filter { $0.1 != .safe }.map(\.0)
      guard let reason = outcomes.firstReason else { return true }
      // The reason is the first one's, and so is the queue.
      ports.journal.note(.notForwarded(count: rest.count, error: "\(rest[0].routingKey): \(reason)"))
      if isDraining || Task.isCancelled {
        giveBack()
        return false
      }
      try? await clock.sleep(for: backoff.next(chance: settings.jitter()))
    }
  }
}

extension EncodedEvent {
  /// Nil where it is no longer unsent itself: a relay was faster.
  fileprivate func pending(unsent: Set<OutboxKey>) -> PendingEvent? {
    guard key.version > 0 else { return PendingEvent(event: self, behind: []) }
    guard unsent.contains(key) else { return nil }
    return PendingEvent(event: self, behind: unsent.filter { $0.order == key.order && $0.version < key.version })
  }
}

extension ReplyOutcome {
  package var word: OutcomeWord {
    switch self {
    case .first(let result): result.rejection == nil ? .accepted : .rejected
    case .duplicate: .duplicate
    case .deadLettered: .deadLettered
    }
  }

  var rejection: RejectionCode? {
    switch self {
    case .first(let result), .duplicate(let result): result.rejection?.code
    case .deadLettered: nil
    }
  }
}
