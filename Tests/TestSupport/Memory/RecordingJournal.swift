import Application
import Synchronization

/// Keeps what the pipeline tells, for a test to look at.
package final class RecordingJournal: PipelineJournal {
  private let kept = Mutex<[PipelineNote]>([])

  package init() {}

  package var notes: [PipelineNote] { kept.withLock { $0 } }

  package func note(_ note: PipelineNote) { kept.withLock { $0.append(note) } }
}
