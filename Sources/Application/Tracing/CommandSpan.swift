import Domain

/// The span of one command's processing, in a trace that is recorded.
package struct CommandSpan: Hashable, Sendable {
  package let context: TraceContext
  /// The sender's span; nil where the trace begins with the command.
  package let parent: UInt64?
  /// Of a replayed dead letter: the trace in which it failed. What happens now, days later maybe, is a story of its own.
  package let link: TraceContext?

  /// Nil where the trace is not recorded.
  init?(after traceparent: String?, isReplay: Bool, by tracer: any Tracer) {
    let sender = traceparent.flatMap { TraceContext($0) }
    guard let place = tracer.place(after: sender) else { return nil }
    if isReplay, let sender {
      (context, parent, link) = (.random(), nil, sender)
    } else {
      (context, parent, link) = (place, sender?.span, nil)
    }
  }
}

extension CommandEnvelope {
  /// The same command with a place in its trace, which events, replies and calls of the provider follow from; itself where that is not recorded.
  func traced(by tracer: any Tracer) -> CommandEnvelope {
    guard let span = CommandSpan(after: traceparent, isReplay: journey.replay != nil, by: tracer) else { return self }
    return CommandEnvelope(
      identity: identity, principal: principal, tokenExpired: tokenExpired, command: command, fingerprint: fingerprint, data: data,
      correlationID: correlationID, replyTo: replyTo, traceparent: span.context.traceparent, journey: journey, span: span)
  }
}

/// An event's place in a trace that is recorded. Its span's id follows from the event's id, so that a repeat has the same, and so that it is known
/// before anything is recorded: the event is written in the same transaction as what it tells of.
package struct EventTrace: Hashable, Sendable {
  package let context: TraceContext
  /// The span of the command, or of whatever else the event comes from; nil where only the event itself is left.
  package let parent: UInt64?

  /// Nil where the cause's trace is not recorded.
  package init?(of event: UUIDValue, after traceparent: String?) {
    guard let cause = traceparent.flatMap({ TraceContext($0) }), cause.isSampled else { return nil }
    // The variant's bits keep the lower half of an id from zero.
    context = TraceContext(trace: cause.trace, span: event.low)
    parent = cause.span
  }

  /// As the outbox keeps it.
  package init?(kept traceparent: String) {
    guard let context = TraceContext(traceparent) else { return nil }
    self.context = context
    parent = nil
  }
}
