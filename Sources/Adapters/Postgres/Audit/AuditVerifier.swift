import Application
import Domain

/// Goes through audit rows, chain by chain and in the order of their numbers, and tells what does not fit.
package struct AuditVerifier: Sendable {
  /// A row as it stands in the table.
  struct Row: Sendable {
    let content: AuditChain.Content
    let previousHash: [UInt8]
    let hash: [UInt8]
  }

  package struct Finding: Sendable, Equatable {
    package let chain: UUIDValue
    /// The number of the row in its chain.
    package let sequence: Int64
    package let what: String
    /// Of the row, where it is there.
    package let messageID: String?
    package let tenant: String?
  }

  package private(set) var rows: Int64 = 0
  package private(set) var chains: Int64 = 0
  package private(set) var findings: [Finding] = []
  /// Findings beyond those that are kept.
  package private(set) var more: Int64 = 0

  /// As far as rows of other chains tell of each chain; of a chain that is whole up to there nothing before it can have been changed.
  private var anchors: [UUIDValue: AuditAnchor.Head] = [:]
  private var heads: [UUIDValue: AuditAnchor.Head]
  private var dropped: [UUIDValue: AuditAnchor.Head]
  private var toldDropped: [UUIDValue: [AuditAnchor.Head]] = [:]
  private var current: AuditAnchor.Head?

  private static let mostFindings = 1_000

  /// `heads` is where the database says that chains stand, `dropped` the last rows of those that went with their time.
  init(heads: [AuditAnchor.Head], dropped: [AuditAnchor.Head]) {
    self.heads = Dictionary(uniqueKeysWithValues: heads.map { ($0.chain, $0) })
    self.dropped = Dictionary(uniqueKeysWithValues: dropped.map { ($0.chain, $0) })
  }

  /// To be told of all rows that tell of other chains before the first `take`.
  mutating func anchor(_ row: Row) {
    guard let told = AuditAnchor.heads(row.content.after ?? "") else { return find(row, "what it tells of other chains cannot be read") }
    for head in told {
      if row.content.action == AuditEntry.drop {
        toldDropped[head.chain, default: []].append(head)
      } else if head.sequence > anchors[head.chain]?.sequence ?? 0 {
        anchors[head.chain] = head
      }
    }
  }

  /// Rows may be missing only if the log itself tells that they were dropped.
  private mutating func believed(_ chain: UUIDValue) -> AuditAnchor.Head? {
    guard let head = dropped.removeValue(forKey: chain) else { return nil }
    if toldDropped[chain]?.contains(head) == true { return head }
    find(chain, 1, "rows up to \(head.sequence) are said to have been dropped, and no \(AuditEntry.drop) tells of it")
    return nil
  }

  mutating func take(_ row: Row) {
    rows += 1
    let chain = row.content.chain
    if current?.chain != chain {
      endChain()
      chains += 1
      current = believed(chain) ?? AuditAnchor.Head(chain: chain, sequence: 0, hash: AuditChain.origin)
    }
    let last = current!  // set above
    current = AuditAnchor.Head(chain: chain, sequence: row.content.sequence, hash: row.hash)
    if row.content.sequence <= last.sequence { return find(row, "its number is there twice") }
    if row.content.sequence != last.sequence + 1 {
      let missing =
        last.sequence + 1 == row.content.sequence - 1 ? "row \(last.sequence + 1) is" : "rows \(last.sequence + 1) to \(row.content.sequence - 1) are"
      find(row, "\(missing) missing before it", at: last.sequence + 1)
    } else if row.previousHash != last.hash {
      find(row, "it does not follow the row before it")
    }
    if AuditChain.hash(row.content, after: row.previousHash) != row.hash { find(row, "its content is not what was written") }
    if let anchor = anchors[chain], anchor.sequence == row.content.sequence {
      if anchor.hash != row.hash { find(row, "another chain tells that it was different") }
      anchors[chain] = nil
    }
  }

  mutating func finish() {
    endChain()
    for chain in Array(dropped.keys) {
      guard let head = believed(chain) else { continue }
      // Nothing of it is left in the table.
      current = head
      heads[chain] = heads[chain] ?? head
      endChain()
    }
    for head in Array(heads.values) + Array(anchors.values) { find(head.chain, 1, "all rows of the chain are missing, \(head.sequence) of them") }
  }

  private mutating func endChain() {
    guard let last = current else { return }
    current = nil
    let head = heads.removeValue(forKey: last.chain)
    let end = [head, anchors.removeValue(forKey: last.chain)].compactMap(\.self).max { $0.sequence < $1.sequence }
    guard let end else { return }
    if let head, head.sequence < last.sequence {
      find(last.chain, last.sequence, "audit_heads says that the chain ends at row \(head.sequence)")
    }
    if end.sequence > last.sequence {
      find(last.chain, last.sequence + 1, "the chain ends at row \(last.sequence), and had \(end.sequence)")
    } else if end.sequence == last.sequence, end.hash != last.hash {
      find(last.chain, last.sequence, "the chain's last row is not the one that was written")
    }
  }

  private mutating func find(_ row: Row, _ what: String, at sequence: Int64? = nil) {
    find(row.content.chain, sequence ?? row.content.sequence, what, messageID: row.content.message, tenant: row.content.tenant)
  }

  private mutating func find(_ chain: UUIDValue, _ sequence: Int64, _ what: String, messageID: String? = nil, tenant: String? = nil) {
    guard findings.count < Self.mostFindings else { return more += 1 }
    findings.append(Finding(chain: chain, sequence: sequence, what: what, messageID: messageID, tenant: tenant))
  }
}
