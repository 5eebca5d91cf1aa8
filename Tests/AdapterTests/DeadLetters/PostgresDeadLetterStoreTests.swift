import Application
import ClientRuntime
import Domain
import JSONAdapter
import PostgresAdapter
import PostgresClient
import TestSupport
import Testing

@Suite struct PostgresDeadLetterStoreTests {
  /// Set-up is one at a time in a database: tests that keep to their tenants share a schema.
  private static let shared = Task { try await PostgresFixture.make() }

  private func contract(alone: Bool = false) async throws -> DeadLetterStoreContract {
    let fixture = alone ? try await PostgresFixture.make() : try await Self.shared.value
    let client = fixture.client
    return DeadLetterStoreContract(
      store: PostgresDeadLetterStore(client: fixture.system), keeping: PostgresDeadLetterKeeping(client: fixture.system),
      complete: { letter, mark, outcome in
        try await client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in
          _ = try session.query(
            Statement(
              name: "complete",
              sql: """
                INSERT INTO processed_commands (tenant_id, message_id, outcome, rejection, type, subject, fingerprint, batch_id, processed_at)
                VALUES ($1, $2, $3, CASE WHEN $3 = 'rejected' THEN '{"code":"out_of_stock","message":"","details":[]}' END, $4, $5, $6,
                        gen_random_uuid(), now())
                """, parameterTypes: [.text, .text, .text, .text, .text, .bytea]),
            [
              .text(letter.key.tenant.rawValue), .text(letter.commandID), outcome.map { .text($0) } ?? .null, .text(letter.command!.rawValue),
              .text(mark.subject), .bytea(mark.fingerprint.bytes),
            ])
        }
      },
      audit: { tenant in
        try await client.run(deadline: .after(.seconds(20))) { session throws(PostgresError) in
          let rows = try session.query(
            Statement(
              name: "audited", sql: "SELECT action || ' ' || message_id FROM audit_log WHERE tenant_id = $1 ORDER BY 1", parameterTypes: [.text]),
            [.text(tenant.rawValue)])
          return (0..<rows.rowCount).map { rows.text($0, 0) }
        }
      },
      pass: { try await Task.sleep(for: $0) })
  }

  @Test func aLetterIsReadBackAsItWasWritten() async throws { try await contract().aLetterIsReadBackAsItWasWritten() }
  @Test func aCopyThatIsNotLaterChangesNothing() async throws { try await contract().aCopyThatIsNotLaterChangesNothing() }
  @Test func aLaterFailureIsToldInTheSameRow() async throws { try await contract().aLaterFailureIsToldInTheSameRow() }
  @Test func lettersAreListedNewestFirstByPages() async throws { try await contract().lettersAreListedNewestFirstByPages() }
  @Test func filtersPickWhatTheySay() async throws { try await contract().filtersPickWhatTheySay() }
  @Test func groupsCountWhatIsAlike() async throws { try await contract().groupsCountWhatIsAlike() }
  @Test func aLetterIsClaimedByOneOfMany() async throws { try await contract().aLetterIsClaimedByOneOfMany() }
  @Test func aClaimThatWasNotPublishedInTimeIsFreeAgain() async throws { try await contract(alone: true).aClaimThatWasNotPublishedInTimeIsFreeAgain() }
  @Test func whatTheBrokerDidNotTakeIsParkedAgain() async throws { try await contract().whatTheBrokerDidNotTakeIsParkedAgain() }
  @Test func aReplayThatFailsAgainIsParkedWhateverWasNotedMeanwhile() async throws {
    try await contract().aReplayThatFailsAgainIsParkedWhateverWasNotedMeanwhile()
  }
  @Test func aReplayThatFailsAtAWorkerWhoseClockIsBehindIsParkedAgain() async throws {
    try await contract().aReplayThatFailsAtAWorkerWhoseClockIsBehindIsParkedAgain()
  }
  @Test func lettersWhoseCommandsWereDoneAreSettled() async throws { try await contract().lettersWhoseCommandsWereDoneAreSettled() }
  @Test func onlyParkedLettersAreDiscarded() async throws { try await contract().onlyParkedLettersAreDiscarded() }
  @Test func lettersAreHandedOutOldestFirstUntilTheStart() async throws { try await contract().lettersAreHandedOutOldestFirstUntilTheStart() }
  @Test func whatIsSettledOrOfNobodyGoesWithTime() async throws { try await contract(alone: true).whatIsSettledOrOfNobodyGoesWithTime() }

  @Test func aReplayForgetsThatWorkersDiedOverTheLetter() async throws {
    let client = try await Self.shared.value.system
    let store = PostgresDeadLetterStore(client: client)
    // Trials know no tenants: a message of its own, which no other test claims.
    let letter = DeadLetterStoreContract(InMemoryDeadLetterStore()).letter(1_000)
    try await store.ingest([DeadLetterArrival(letter: letter, isDated: true)])
    let notes = PostgresTrialNotes(client: client)
    let key = TrialKey(Fingerprint(of: Array(letter.messageID!.utf8) + [0] + letter.body).bytes)
    _ = try await notes.begin(key, life: UUIDValue(high: 1, low: 1))
    #expect(try await notes.begin(key, life: UUIDValue(high: 1, low: 2)) == 1)
    let event = DeadLetterEvent(at: letter.failedAt, what: "replayed", actor: nil)
    #expect(try await store.claim([ReplayClaim(key: letter.key, mark: nil, event: event, audit: [])], patience: .seconds(9)) == [letter.key])
    #expect(try await notes.begin(key, life: UUIDValue(high: 1, low: 3)) == 0)
  }
}
