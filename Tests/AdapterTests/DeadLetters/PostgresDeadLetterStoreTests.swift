import PostgresAdapter
import TestSupport
import Testing

@Suite struct PostgresDeadLetterStoreTests {
  private func contract() async throws -> DeadLetterStoreContract {
    DeadLetterStoreContract(store: PostgresDeadLetterStore(client: try await PostgresFixture.make().client))
  }

  @Test func aLetterIsReadBackAsItWasWritten() async throws { try await contract().aLetterIsReadBackAsItWasWritten() }
  @Test func aCopyThatIsNotLaterChangesNothing() async throws { try await contract().aCopyThatIsNotLaterChangesNothing() }
  @Test func aLaterFailureIsToldInTheSameRow() async throws { try await contract().aLaterFailureIsToldInTheSameRow() }
  @Test func lettersAreListedNewestFirstByPages() async throws { try await contract().lettersAreListedNewestFirstByPages() }
  @Test func filtersPickWhatTheySay() async throws { try await contract().filtersPickWhatTheySay() }
  @Test func groupsCountWhatIsAlike() async throws { try await contract().groupsCountWhatIsAlike() }
}
