import Application
import Domain
import TestSupport
import Testing

@Suite struct InMemoryOrderStoreTests {
  private let contract: OrderStoreContract

  init() {
    let store = InMemoryOrderStore()
    contract = OrderStoreContract(
      store: store,
      setStock: { store.set($0, onHand: $1) },
      stock: { store.snapshot.stock[$0] },
      rows: { key in
        let tables = store.snapshot
        return [
          "orders": tables.orders[key] == nil ? 0 : 1, "history": tables.history.filter { $0.order == key }.count,
          "audit": tables.audit.filter { $0.order == key.order }.count,
          "reservations": tables.reservations[key] == nil ? 0 : 1,
          "outbox": tables.outbox.keys.filter { $0.order == key }.count,
          "claims": tables.claims.values.filter { $0.result?.order == key.order }.count,
        ]
      }, pass: { store.advance(by: .seconds(1)) })
  }

  @Test func aBatchIsWrittenWhole() async throws { try await contract.aBatchIsWrittenWhole() }
  @Test func aClaimIsFoundAgainWithItsWholeResult() async throws { try await contract.aClaimIsFoundAgainWithItsWholeResult() }
  @Test func anOrderIsReadBackAsItWasWritten() async throws { try await contract.anOrderIsReadBackAsItWasWritten() }
  @Test func outboxRowsGoWithTheNextTransactionOrAlone() async throws { try await contract.outboxRowsGoWithTheNextTransactionOrAlone() }
  @Test func theRelayFindsWhatIsLeft() async throws { try await contract.theRelayFindsWhatIsLeft() }
  @Test func manyWritersNeverOversell() async throws { try await contract.manyWritersNeverOversell() }
  @Test func theSameBatchFromTwoWritersTakesEffectOnce() async throws { try await contract.theSameBatchFromTwoWritersTakesEffectOnce() }
  @Test func updatesOfABatchBuildOnEachOther() async throws { try await contract.updatesOfABatchBuildOnEachOther() }
  @Test func anUpdateFindsWhatAnEarlierBatchWrote() async throws { try await contract.anUpdateFindsWhatAnEarlierBatchWrote() }
  @Test func anUpdateBeforeItsOrderIsEarlyUntilItsTriesAreOver() async throws { try await contract.anUpdateBeforeItsOrderIsEarlyUntilItsTriesAreOver() }
  @Test func aCommandThatNeedsAPaymentStaysOpenUntilItsResult() async throws {
    try await contract.aCommandThatNeedsAPaymentStaysOpenUntilItsResult()
  }
  @Test func whatIsAuthorisedIsVoidedWhenTheOrderIsCancelled() async throws {
    try await contract.whatIsAuthorisedIsVoidedWhenTheOrderIsCancelled()
  }
  @Test func aDeclinedPaymentLeavesTheOrderAndTheMethodMayBeAnother() async throws {
    try await contract.aDeclinedPaymentLeavesTheOrderAndTheMethodMayBeAnother()
  }
  @Test func anUnknownOutcomeIsAskedAgainAndAStaleAnswerChangesNothing() async throws {
    try await contract.anUnknownOutcomeIsAskedAgainAndAStaleAnswerChangesNothing()
  }
  @Test func anOperationThatWasGivenUpKeepsItsNumber() async throws {
    try await contract.anOperationThatWasGivenUpKeepsItsNumber()
  }
  @Test func whatAnUnknownKeyDidIsLookedUpOnlyWhenNoCallOfItCanBeUnderWay() async throws {
    try await contract.whatAnUnknownKeyDidIsLookedUpOnlyWhenNoCallOfItCanBeUnderWay()
  }
  @Test func anAuthorisationThatWasGivenUpIsLookedUpAgainAndVoidedWhenItComesHome() async throws {
    try await contract.anAuthorisationThatWasGivenUpIsLookedUpAgainAndVoidedWhenItComesHome()
  }
  @Test func whatWasGivenUpIsNotLookedUpForEver() async throws {
    try await contract.whatWasGivenUpIsNotLookedUpForEver()
  }
  @Test func aCaptureThatMayBeOnItsWayIsNotGivenUp() async throws {
    try await contract.aCaptureThatMayBeOnItsWayIsNotGivenUp()
  }
  @Test func anOrderThatRanOutExpiresOnceAndNotBefore() async throws {
    try await contract.anOrderThatRanOutExpiresOnceAndNotBefore()
  }
  @Test func onlyOneHoldsTheLease() async throws { try await contract.onlyOneHoldsTheLease() }
}

@Suite struct InMemoryTrialNotesTests {
  @Test func notesOfOtherLivesAreCountedUntilTheyEnd() async throws {
    try await TrialNotesContract.notesOfOtherLivesAreCountedUntilTheyEnd(InMemoryTrialNotes())
  }
}
