import Application
import Crypto
import Domain

/// The chain of hashes over the audit rows that one connection commits: each row's hash covers its content and the hash before it, so
/// that a row that was changed, removed or moved breaks the chain.
struct AuditChain: Sendable {
  struct Link: Sendable {
    let sequence: Int64
    let previousHash: [UInt8]
    let hash: [UInt8]
    let before: String?
    let after: String?
  }

  let id: UUIDValue
  private(set) var sequence: Int64 = 0
  private(set) var head = [UInt8](repeating: 0, count: 32)

  init(id: UUIDValue) { self.id = id }

  /// The links of the next rows, and the chain as it is once they are committed.
  func extended(by entries: [AuditEntry]) -> (chain: AuditChain, links: [Link]) {
    var next = self
    let links = entries.map { next.append($0) }
    return (next, links)
  }

  private mutating func append(_ entry: AuditEntry) -> Link {
    sequence += 1
    let before = entry.before.map(Self.summary)
    let after = entry.after.map(Self.summary)
    var text: [UInt8] = []
    text.reserveCapacity(512)
    id.appendText(to: &text)
    for field in ["\(sequence)", "\(entry.at.microseconds)", entry.tenant.rawValue, entry.actor, entry.action, entry.message.rawValue] {
      Self.append(field, to: &text)
    }
    entry.order?.appendText(to: &text)
    for field in [entry.outcome, entry.correlationID, entry.traceparent ?? ""] { Self.append(field, to: &text) }
    text.append(contentsOf: (before ?? "").utf8)
    text.append(0x0A)
    text.append(contentsOf: (after ?? "").utf8)
    var hash = SHA256()
    hash.update(data: head)
    hash.update(data: text)
    let previous = head
    head = Array(hash.finalize())
    return Link(sequence: sequence, previousHash: previous, hash: head, before: before, after: after)
  }

  /// A field with its length before it, so that no two rows make one text.
  private static func append(_ field: String, to text: inout [UInt8]) {
    text.append(0x0A)
    text.append(contentsOf: "\(field.utf8.count) ".utf8)
    text.append(contentsOf: field.utf8)
  }

  /// What an order was or became: `status/payment_status/reservation/version`.
  private static func summary(_ order: OrderState) -> String {
    "\(order.status.rawValue)/\(order.paymentStatus.rawValue)/\(order.reservation.rawValue)/\(order.version)"
  }
}
