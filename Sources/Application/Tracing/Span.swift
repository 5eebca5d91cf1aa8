import Domain

/// A piece of work that is over, as a trace shows it. Names and attributes follow OpenTelemetry's semantic conventions.
package struct Span: Sendable {
  /// By OTLP's numbers.
  package enum Kind: UInt64, Sendable {
    case client = 3
    case producer, consumer
  }

  package enum Value: Sendable, Hashable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
    case text(String)
    case number(Int64)
    package init(stringLiteral text: String) { self = .text(text) }
    package init(integerLiteral number: Int64) { self = .number(number) }
  }

  package var name: String
  package var kind: Kind
  package var context: TraceContext
  /// The span of the same trace that this one follows from; nil where the trace begins here.
  package var parent: UInt64?
  /// What else it has to do with, in other traces mostly.
  package var links: [TraceContext]
  package var begin: Timestamp
  package var end: Timestamp
  package var attributes: [String: Value]
  /// Why it failed; nil where it did not.
  package var error: String?

  package init(
    _ name: String, _ kind: Kind, _ context: TraceContext, parent: UInt64?, links: [TraceContext] = [], begin: Timestamp, end: Timestamp,
    attributes: [String: Value], error: String? = nil
  ) {
    self.name = name
    self.kind = kind
    self.context = context
    self.parent = parent
    self.links = links
    self.begin = begin
    self.end = end
    self.attributes = attributes
    self.error = error
  }
}

/// Decides which traces are recorded, and takes their spans.
package protocol Tracer: Sendable {
  /// The place of a span that follows from `parent`, or begins a trace where there is none. Nil where the trace is not recorded.
  func place(after parent: TraceContext?) -> TraceContext?
  /// Never waits; what there is no room for is dropped.
  func record(_ span: Span)
}

extension Tracer {
  /// The place of a span over work for several at once. Of one trace it is a part, after the first; of several it is a trace of its own that the links
  /// lead from and to, since a span has one parent only. Nil where none of them is recorded.
  package func place(amidst contexts: [TraceContext]) -> (context: TraceContext, parent: UInt64?)? {
    guard let first = contexts.first, let next = place(after: first) else { return nil }
    return contexts.allSatisfy { $0.trace == first.trace } ? (next, first.span) : (.random(), nil)
  }
}

extension TraceContext {
  /// A recorded trace that begins here.
  package static func random() -> TraceContext {
    var random = SystemRandomNumberGenerator()
    return TraceContext(trace: .random(using: &random), span: random.next() | 1)
  }

  /// The next span of the same trace.
  package func following() -> TraceContext {
    var random = SystemRandomNumberGenerator()
    return TraceContext(trace: trace, span: random.next() | 1)
  }
}

/// Nothing is traced.
package struct NoTracing: Tracer {
  package init() {}
  package func place(after parent: TraceContext?) -> TraceContext? { nil }
  package func record(_ span: Span) {}
}
