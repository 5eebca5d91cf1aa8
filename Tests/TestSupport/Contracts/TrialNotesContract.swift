import Application
import Domain
import Testing

/// What every keeper of notes on trials must do.
package enum TrialNotesContract {
  package static func notesOfOtherLivesAreCountedUntilTheyEnd(_ notes: some TrialNotes) async throws {
    let (a, b) = (TrialKey([1, 2]), TrialKey([1]))
    let lives = (0..<3).map { UUIDValue(high: $0, low: .max) }
    #expect(try await notes.begin(a, life: lives[0]) == 0)
    #expect(try await notes.begin(a, life: lives[0]) == 0, "its own note is no death")
    #expect(try await notes.begin(a, life: lives[1]) == 1)
    #expect(try await notes.begin(b, life: lives[2]) == 0)
    #expect(try await notes.begin(a, life: lives[2]) == 2)
    try await notes.end(a, life: lives[1])
    try await notes.end(a, life: lives[1])
    #expect(try await notes.begin(a, life: lives[2]) == 1)
  }
}
