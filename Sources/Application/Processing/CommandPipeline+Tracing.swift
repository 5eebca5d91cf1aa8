import Domain

/// What the stages tell of their work in traces. All of it costs nothing where no command of a batch is traced.
extension CommandPipeline {
  /// Where the transaction stands whose commands these were; nil where none of them is traced.
  func traceTransaction(_ decider: BatchDecider, _ outcome: BatchOutcome, runs: Int, begin: Timestamp) -> TraceContext? {
    for pending in outcome.events {
      guard let trace = pending.event.trace else { continue }
      ports.tracer.record(.create(pending.event, trace, exchange: settings.forwarding.eventsExchange, at: settings.now()))
    }
    let contexts = decider.commands.compactMap(\.span?.context) + decider.own.compactMap { CommandReference($0).sampled }
    guard let place = ports.tracer.place(amidst: contexts) else { return nil }
    let links = contexts.count > 1 ? contexts : []
    ports.tracer.record(
      .transaction(of: decider.commands.count + decider.own.count, runs: runs, place, links: links, begin: begin, end: settings.now()))
    return place.context
  }

  /// The end of a delivery whose command could be read.
  func traceEnd(
    _ received: ReceivedMessage, _ envelope: CommandEnvelope, _ outcome: String, rejection: RejectionCode? = nil, transaction: TraceContext? = nil,
    reason: DeadLetterReason? = nil, error: String? = nil
  ) {
    guard let place = envelope.span else { return }
    var span = Span.process(received, type: envelope.command.type, queue: settings.forwarding.commandsQueue, place, end: settings.now())
    span.attributes["orders.order_id"] = .text(envelope.command.order.description)
    span.attributes["orders.tenant_id"] = .text(envelope.identity.tenant.rawValue)
    span.attributes["orders.outcome"] = .text(outcome)
    span.attributes["orders.rejection"] = rejection.map { .text($0.rawValue) }
    if envelope.journey.attempt > 0 { span.attributes["orders.attempt"] = .number(Int64(envelope.journey.attempt)) }
    // One of the same trace is found without a link.
    if let transaction, transaction.trace != place.context.trace { span.links.append(transaction) }
    span.attributes["error.type"] = reason.map { .text($0.rawValue) }
    span.error = error
    ports.tracer.record(span)
  }

  /// The end of one that is refused, whether or not a command could be read from it.
  func traceEnd(_ refused: RefusedDelivery) {
    let refusal = refused.refusal
    if let envelope = refused.envelope {
      return traceEnd(refused.received, envelope, OutcomeWord.deadLettered.rawValue, reason: refusal.reason, error: refusal.error)
    }
    guard let place = CommandSpan(after: refusal.traceparent, isReplay: refusal.journey.replay != nil, by: ports.tracer) else { return }
    var span = Span.process(
      refused.received, type: refusal.type.flatMap { CommandType(rawValue: $0) }, queue: settings.forwarding.commandsQueue, place, end: settings.now())
    span.attributes["orders.outcome"] = .text(OutcomeWord.deadLettered.rawValue)
    span.attributes["error.type"] = .text(refusal.reason.rawValue)
    span.error = refusal.error
    ports.tracer.record(span)
  }
}

extension CommandReference {
  /// The place in a trace that is recorded; nil where there is none.
  package var sampled: TraceContext? { traceparent.flatMap { TraceContext($0) }.flatMap { $0.isSampled ? $0 : nil } }
}
