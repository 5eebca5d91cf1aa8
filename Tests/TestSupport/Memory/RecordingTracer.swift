import Application
import Domain
import Synchronization

/// Keeps spans for a test to look at. Traces of senders are recorded by their flag, those that begin here by `begins`.
package final class RecordingTracer: Tracer {
  private let recorded = Mutex<[Span]>([])
  private let begins: Mutex<[Bool]>

  /// `begins`: whether the first trace that could begin here does, the second, and so on; the last answer holds for all that follow.
  package init(begins: [Bool] = [false]) { self.begins = Mutex(begins) }

  package var spans: [Span] { recorded.withLock { $0 } }

  package func place(after parent: TraceContext?) -> TraceContext? {
    if let parent { return parent.isSampled ? parent.following() : nil }
    let does = begins.withLock { $0.count > 1 ? $0.removeFirst() : $0[0] }
    return does ? .random() : nil
  }

  package func record(_ span: Span) { recorded.withLock { $0.append(span) } }
}
