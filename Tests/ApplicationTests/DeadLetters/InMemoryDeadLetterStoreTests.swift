import TestSupport
import Testing

@Suite struct InMemoryDeadLetterStoreTests {
  private let contract = DeadLetterStoreContract(InMemoryDeadLetterStore())

  @Test func aLetterIsReadBackAsItWasWritten() async throws { try await contract.aLetterIsReadBackAsItWasWritten() }
  @Test func aCopyThatIsNotLaterChangesNothing() async throws { try await contract.aCopyThatIsNotLaterChangesNothing() }
  @Test func aLaterFailureIsToldInTheSameRow() async throws { try await contract.aLaterFailureIsToldInTheSameRow() }
  @Test func lettersAreListedNewestFirstByPages() async throws { try await contract.lettersAreListedNewestFirstByPages() }
  @Test func filtersPickWhatTheySay() async throws { try await contract.filtersPickWhatTheySay() }
  @Test func groupsCountWhatIsAlike() async throws { try await contract.groupsCountWhatIsAlike() }
  @Test func aLetterIsClaimedByOneOfMany() async throws { try await contract.aLetterIsClaimedByOneOfMany() }
  @Test func aClaimThatWasNotPublishedInTimeIsFreeAgain() async throws { try await contract.aClaimThatWasNotPublishedInTimeIsFreeAgain() }
  @Test func whatTheBrokerDidNotTakeIsParkedAgain() async throws { try await contract.whatTheBrokerDidNotTakeIsParkedAgain() }
  @Test func aReplayThatFailsAgainIsParkedWhateverWasNotedMeanwhile() async throws {
    try await contract.aReplayThatFailsAgainIsParkedWhateverWasNotedMeanwhile()
  }
  @Test func aReplayThatFailsAtAWorkerWhoseClockIsBehindIsParkedAgain() async throws {
    try await contract.aReplayThatFailsAtAWorkerWhoseClockIsBehindIsParkedAgain()
  }
  @Test func lettersWhoseCommandsWereDoneAreSettled() async throws { try await contract.lettersWhoseCommandsWereDoneAreSettled() }
  @Test func onlyParkedLettersAreDiscarded() async throws { try await contract.onlyParkedLettersAreDiscarded() }
  @Test func lettersAreHandedOutOldestFirstUntilTheStart() async throws { try await contract.lettersAreHandedOutOldestFirstUntilTheStart() }
  @Test func whatIsSettledOrOfNobodyGoesWithTime() async throws { try await contract.whatIsSettledOrOfNobodyGoesWithTime() }
}
