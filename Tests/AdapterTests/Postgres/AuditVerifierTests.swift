import Application
import Domain
import TestSupport
import Testing

@testable import PostgresAdapter

/// Whoever changes, removes or moves an audit row is found, with the place.
@Suite struct AuditVerifierTests {
  private static func entry(_ number: Int, actor: String = "ann") -> AuditEntry {
    AuditEntry("stock.set", by: actor, in: .standard, at: Timestamp(microseconds: 1_700_000_000_000_000 + Int64(number)), about: "p-\(number)")
  }

  /// The rows of a chain, and where it then stands.
  private static func chain(_ id: UInt64, _ entries: [AuditEntry]) -> (rows: [AuditVerifier.Row], head: AuditAnchor.Head) {
    let (chain, links) = AuditChain(id: UUIDValue(high: id, low: id)).extended(by: entries)
    let rows = zip(entries, links).map { entry, link in
      AuditVerifier.Row(
        content: AuditChain.Content(
          chain: chain.id, sequence: link.sequence, at: entry.at.microseconds, tenant: entry.tenant.rawValue, actor: entry.actor, action: entry.action,
          message: entry.message.rawValue, order: entry.order, outcome: entry.outcome, correlationID: entry.correlationID,
          traceparent: entry.traceparent, before: link.before, after: link.after), previousHash: link.previousHash, hash: link.hash)
    }
    return (rows, AuditAnchor.Head(chain: chain.id, sequence: chain.sequence, hash: chain.head))
  }

  private static let ten = chain(1, (1...10).map { entry($0) })
  private static let anchoring = chain(2, [AuditEntry(anchoring: AuditAnchor.text([ten.head]), by: "w", at: Timestamp(microseconds: 1))])

  /// The rows that tell of heads that were dropped.
  private static func dropping(_ heads: [AuditAnchor.Head]) -> [AuditVerifier.Row] {
    heads.isEmpty ? [] : chain(3, [AuditEntry(dropping: "some", heads: AuditAnchor.text(heads), by: "ann", at: Timestamp(microseconds: 1))]).rows
  }

  /// What is found in the two chains after `change`: chain, row, and a word of it.
  private static func findings(
    heads: [AuditAnchor.Head] = [ten.head, anchoring.head], dropped: [AuditAnchor.Head] = [], told: [AuditAnchor.Head]? = nil,
    _ change: (inout [AuditVerifier.Row]) -> Void
  ) -> [String] {
    var rows = ten.rows
    change(&rows)
    var verifier = AuditVerifier(heads: heads, dropped: dropped)
    let telling = dropping(told ?? dropped)
    for row in anchoring.rows + telling { verifier.anchor(row) }
    for row in rows + anchoring.rows + telling { verifier.take(row) }
    verifier.finish()
    return verifier.findings.map { "\($0.chain.high)/\($0.sequence) \($0.what)" }
  }

  private static func changed(_ row: AuditVerifier.Row, rehash: Bool = false, _ change: (inout AuditChain.Content) -> Void) -> AuditVerifier.Row {
    var content = row.content
    change(&content)
    return AuditVerifier.Row(
      content: content, previousHash: row.previousHash, hash: rehash ? AuditChain.hash(content, after: row.previousHash) : row.hash)
  }

  @Test func whatIsAsItWasWrittenIsWhole() { #expect(Self.findings { _ in } == []) }

  private static let changes: [(name: String, change: @Sendable (inout AuditChain.Content) -> Void)] = [
    ("at", { $0.at += 1 }), ("tenant", { $0.tenant = "other" }), ("actor", { $0.actor = "bob" }), ("action", { $0.action = "stock.sett" }),
    ("message", { $0.message += "x" }), ("order", { $0.order = UUIDValue(high: 1, low: 1) }), ("outcome", { $0.outcome = "rejected" }),
    ("correlation", { $0.correlationID = "p" }), ("traceparent", { $0.traceparent = "00" }), ("before", { $0.before = "1/0" }),
    ("after", { $0.after = "" + "2/0" }),
    ("fields moved", { ($0.actor, $0.action) = ($0.action, $0.actor) }),
  ]

  @Test(arguments: changes.indices) func aChangedRowIsNamed(index: Int) {
    let found = Self.findings { $0[4] = Self.changed($0[4], Self.changes[index].change) }
    #expect(found == ["1/5 its content is not what was written"])
  }

  @Test func aChangedRowWithAHashToMatchIsNamedByTheNext() {
    #expect(Self.findings { $0[4] = Self.changed($0[4], rehash: true) { $0.actor = "bob" } } == ["1/6 it does not follow the row before it"])
  }

  @Test func aRemovedRowIsNamed() {
    #expect(Self.findings { $0.remove(at: 4) } == ["1/5 row 5 is missing before it"])
    #expect(Self.findings { $0.removeSubrange(2...4) } == ["1/3 rows 3 to 5 are missing before it"])
    #expect(Self.findings { $0.removeFirst() } == ["1/1 row 1 is missing before it"])
  }

  @Test func swappedRowsAreNamed() {
    let swapped = Self.findings { rows in
      let (a, b) = (rows[2].content, rows[6].content)
      rows[2] = Self.changed(rows[2]) {
        $0 = b; $0.sequence = 3
      }
      rows[6] = Self.changed(rows[6]) {
        $0 = a; $0.sequence = 7
      }
    }
    #expect(swapped == ["1/3 its content is not what was written", "1/7 its content is not what was written"])
  }

  @Test func theEndOfAChainIsMissed() {
    #expect(Self.findings { $0.removeLast(3) } == ["1/8 the chain ends at row 7, and had 10"])
    // Also where its head was set back: another chain tells of it.
    let back = AuditAnchor.Head(chain: Self.ten.head.chain, sequence: 7, hash: Self.ten.rows[6].hash)
    #expect(Self.findings(heads: [back, Self.anchoring.head]) { $0.removeLast(3) } == ["1/8 the chain ends at row 7, and had 10"])
    #expect(Self.findings { $0 = [] }.contains { $0.contains("all rows of the chain are missing") })
  }

  @Test func aChainThatWasWrittenAnewIsNotTheOneThatWasAnchored() {
    let forged = Self.chain(1, (1...10).map { Self.entry($0, actor: "bob") })
    #expect(Self.findings(heads: [forged.head, Self.anchoring.head]) { $0 = forged.rows } == ["1/10 another chain tells that it was different"])
  }

  @Test func whatWentWithItsTimeIsNotMissed() {
    let last = AuditAnchor.Head(chain: Self.ten.head.chain, sequence: 4, hash: Self.ten.rows[3].hash)
    #expect(Self.findings(dropped: [last]) { $0.removeFirst(4) } == [])
    #expect(Self.findings(dropped: [last]) { $0.removeFirst(5) } == ["1/5 row 5 is missing before it"])
    #expect(Self.findings(dropped: [Self.ten.head]) { $0 = [] } == [])
  }

  @Test func aHeadThatWasSetBackIsNamed() {
    let back = AuditAnchor.Head(chain: Self.ten.head.chain, sequence: 7, hash: Self.ten.rows[6].hash)
    #expect(Self.findings(heads: [back, Self.anchoring.head]) { _ in } == ["1/10 audit_heads says that the chain ends at row 7"])
  }

  /// Who may write to the tables may say there what he likes; the log itself has to tell it, too.
  @Test func whatIsOnlySaidToHaveGoneIsMissed() {
    let last = AuditAnchor.Head(chain: Self.ten.head.chain, sequence: 4, hash: Self.ten.rows[3].hash)
    let wrong = AuditAnchor.Head(chain: last.chain, sequence: 4, hash: Self.ten.rows[2].hash)
    for told in [[], [wrong]] {
      let found = Self.findings(dropped: [last], told: told) { $0.removeFirst(4) }
      #expect(found.count == 2 && found[0].contains("no audit.drop tells of it") && found[1].contains("rows 1 to 4 are missing"), "\(found)")
    }
    let whole = Self.findings(dropped: [Self.ten.head], told: []) { $0 = [] }
    #expect(whole.contains { $0.contains("no audit.drop") } && whole.contains { $0.contains("all rows of the chain are missing") }, "\(whole)")
  }
}
