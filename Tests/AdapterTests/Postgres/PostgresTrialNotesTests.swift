import PostgresAdapter
import TestSupport
import Testing

@Suite struct PostgresTrialNotesTests {
  @Test func notesOfOtherLivesAreCountedUntilTheyEnd() async throws {
    try await TrialNotesContract.notesOfOtherLivesAreCountedUntilTheyEnd(PostgresTrialNotes(client: PostgresFixture.make().system))
  }
}
