import Application
import Domain
import Synchronization

package final class InMemoryTrialNotes: TrialNotes {
  private let notes = Mutex<[TrialKey: Set<UUIDValue>]>([:])
  private let faults = Mutex<[StoreError]>([])
  package init() {}

  /// The next notes fail so.
  package func fail(_ next: [StoreError]) { faults.withLock { $0 += next } }

  package var count: Int { notes.withLock { $0.values.reduce(0) { $0 + $1.count } } }

  package func begin(_ key: TrialKey, life: UUIDValue) async throws(StoreError) -> Int {
    let fault = faults.withLock { $0.isEmpty ? nil : $0.removeFirst() }
    if let fault { throw fault }
    return notes.withLock { notes in
      notes[key, default: []].insert(life)
      return notes[key]!.count - 1
    }
  }

  package func end(_ key: TrialKey, life: UUIDValue) async throws(StoreError) { notes.withLock { _ = $0[key]?.remove(life) } }
}
