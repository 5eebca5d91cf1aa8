import Domain

/// Names a message for the notes on its trials: a hash of its id and body, since nothing of it has been read yet.
package struct TrialKey: Hashable, Sendable {
  package let bytes: [UInt8]
  package init(_ bytes: [UInt8]) { self.bytes = bytes }
}

/// Notes of which worker is just trying a message that may have killed others.
package protocol TrialNotes: Sendable {
  /// Commits that this life of a worker tries it. Returns how many others' notes are there: they did not survive it.
  func begin(_ key: TrialKey, life: UUIDValue) async throws(StoreError) -> Int
  /// It was survived: the note goes.
  func end(_ key: TrialKey, life: UUIDValue) async throws(StoreError)
}
