import Application
import ClientRuntime
import Domain
import PostgresAdapter
import PostgresClient
import TestSupport
import Testing

@Suite struct PostgresOrderStoreTests {
  @Test func aBatchIsWrittenWhole() async throws { try await PostgresFixture.make().contract.aBatchIsWrittenWhole() }
  @Test func aClaimIsFoundAgainWithItsWholeResult() async throws { try await PostgresFixture.make().contract.aClaimIsFoundAgainWithItsWholeResult() }
  @Test func anOrderIsReadBackAsItWasWritten() async throws { try await PostgresFixture.make().contract.anOrderIsReadBackAsItWasWritten() }
  @Test func outboxRowsGoWithTheNextTransactionOrAlone() async throws {
    try await PostgresFixture.make().contract.outboxRowsGoWithTheNextTransactionOrAlone()
  }
  @Test func theRelayFindsWhatIsLeft() async throws { try await PostgresFixture.make().contract.theRelayFindsWhatIsLeft() }
  @Test func manyWritersNeverOversell() async throws { try await PostgresFixture.make(connections: 8).contract.manyWritersNeverOversell() }
  @Test func theSameBatchFromTwoWritersTakesEffectOnce() async throws {
    try await PostgresFixture.make(connections: 6).contract.theSameBatchFromTwoWritersTakesEffectOnce()
  }
  @Test func updatesOfABatchBuildOnEachOther() async throws { try await PostgresFixture.make().contract.updatesOfABatchBuildOnEachOther() }
  @Test func anUpdateFindsWhatAnEarlierBatchWrote() async throws { try await PostgresFixture.make().contract.anUpdateFindsWhatAnEarlierBatchWrote() }
  @Test func anUpdateBeforeItsOrderIsEarlyUntilItsTriesAreOver() async throws {
    try await PostgresFixture.make().contract.anUpdateBeforeItsOrderIsEarlyUntilItsTriesAreOver()
  }
  @Test func aCommandThatNeedsAPaymentStaysOpenUntilItsResult() async throws {
    try await PostgresFixture.make().contract.aCommandThatNeedsAPaymentStaysOpenUntilItsResult()
  }
  @Test func whatIsAuthorisedIsVoidedWhenTheOrderIsCancelled() async throws {
    try await PostgresFixture.make().contract.whatIsAuthorisedIsVoidedWhenTheOrderIsCancelled()
  }
  @Test func aDeclinedPaymentLeavesTheOrderAndTheMethodMayBeAnother() async throws {
    try await PostgresFixture.make().contract.aDeclinedPaymentLeavesTheOrderAndTheMethodMayBeAnother()
  }
  @Test func anUnknownOutcomeIsAskedAgainAndAStaleAnswerChangesNothing() async throws {
    try await PostgresFixture.make().contract.anUnknownOutcomeIsAskedAgainAndAStaleAnswerChangesNothing()
  }
  @Test func anOperationThatWasGivenUpKeepsItsNumber() async throws {
    try await PostgresFixture.make().contract.anOperationThatWasGivenUpKeepsItsNumber()
  }
  @Test func whatAnUnknownKeyDidIsLookedUpOnlyWhenNoCallOfItCanBeUnderWay() async throws {
    try await PostgresFixture.make().contract.whatAnUnknownKeyDidIsLookedUpOnlyWhenNoCallOfItCanBeUnderWay()
  }
  @Test func anAuthorisationThatWasGivenUpIsLookedUpAgainAndVoidedWhenItComesHome() async throws {
    try await PostgresFixture.make().contract.anAuthorisationThatWasGivenUpIsLookedUpAgainAndVoidedWhenItComesHome()
  }
  @Test func whatWasGivenUpIsNotLookedUpForEver() async throws {
    try await PostgresFixture.make().contract.whatWasGivenUpIsNotLookedUpForEver()
  }
  @Test func aCaptureThatMayBeOnItsWayIsNotGivenUp() async throws {
    try await PostgresFixture.make().contract.aCaptureThatMayBeOnItsWayIsNotGivenUp()
  }
  @Test func anOrderThatRanOutExpiresOnceAndNotBefore() async throws {
    try await PostgresFixture.make().contract.anOrderThatRanOutExpiresOnceAndNotBefore()
  }
  @Test func onlyOneHoldsTheLease() async throws { try await PostgresFixture.make().contract.onlyOneHoldsTheLease() }

  @Test func setupFromManyAtOnceAppliesEachMigrationOnce() async throws {
    let schema = Stack.uniqueName("s")
    let applied = try await withThrowingTaskGroup(of: [String].self) { group in
      for _ in 0..<6 {
        group.addTask {
          let client = PostgresClient(configuration: try PostgresConfiguration(url: Stack.databaseURL))
          return try await Migrator(client: client, schema: schema).migrate(deadline: .after(.seconds(60))).applied
        }
      }
      return try await group.reduce(into: []) { $0 += $1 }
    }
    // One may take over in the middle of what another began, and each says what it applied.
    #expect(applied.sorted() == ["1 orders", "2 payments", "3 dead letters", "4 trials", "5 watched payments", "6 audit heads", "7 outbox traces"])
    let client = PostgresClient(configuration: try PostgresConfiguration(url: Stack.databaseURL))
    #expect(try await Migrator(client: client, schema: schema).pending(deadline: .after(.seconds(20))).isEmpty)
  }
}
