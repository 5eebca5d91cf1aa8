import Application
import Domain
import Synchronization

/// Keeps spans for a test to look at. Traces of senders are recorded by their flag, those that begin here always or never.
package final class RecordingTracer: Tracer {
  private let recorded = Mutex<[Span]>([])
  private let begins: Bool

  package init(begins: Bool = false) { self.begins = begins }

  package var spans: [Span] { recorded.withLock { $0 } }

  package func place(after parent: TraceContext?) -> TraceContext? {
    if let parent { return parent.isSampled ? parent.following() : nil }
    return begins ? .random() : nil
  }

  package func record(_ span: Span) { recorded.withLock { $0.append(span) } }
}
