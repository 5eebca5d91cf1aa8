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

  /// What of a row its hash covers, beside the hash before it.
  struct Content {
    var chain: UUIDValue
    var sequence: Int64
    /// In microseconds since 1970.
    var at: Int64
    var tenant: String
    var actor: String
    var action: String
    var message: String
    var order: UUIDValue?
    var outcome: String
    var correlationID: String
    var traceparent: String?
    var before: String?
    var after: String?
  }

  /// What stands before a chain's first row.
  static let origin = [UInt8](repeating: 0, count: 32)

  let id: UUIDValue
  private(set) var sequence: Int64 = 0
  private(set) var head = origin

  init(id: UUIDValue) { self.id = id }

  /// The links of the next rows, and the chain as it is once they are committed.
  func extended(by entries: [AuditEntry]) -> (chain: AuditChain, links: [Link]) {
    var next = self
    let links = entries.map { next.append($0) }
    return (next, links)
  }

  private mutating func append(_ entry: AuditEntry) -> Link {
    sequence += 1
    let content = Content(
      chain: id, sequence: sequence, at: entry.at.microseconds, tenant: entry.tenant.rawValue, actor: entry.actor, action: entry.action,
      message: entry.message.rawValue, order: entry.order, outcome: entry.outcome, correlationID: entry.correlationID, traceparent: entry.traceparent,
      before: entry.before.map(Self.summary), after: entry.after.map(Self.summary))
    let previous = head
    head = Self.hash(content, after: previous)
    return Link(sequence: sequence, previousHash: previous, hash: head, before: content.before, after: content.after)
  }

  static func hash(_ content: Content, after previous: [UInt8]) -> [UInt8] {
    var text: [UInt8] = []
    text.reserveCapacity(512)
    content.chain.appendText(to: &text)
    for field in ["\(content.sequence)", "\(content.at)", content.tenant, content.actor, content.action, content.message] { append(field, to: &text) }
    content.order?.appendText(to: &text)
    for field in [content.outcome, content.correlationID, content.traceparent ?? ""] { append(field, to: &text) }
    text.append(contentsOf: (content.before ?? "").utf8)
    text.append(0x0A)
    text.append(contentsOf: (content.after ?? "").utf8)
    var hash = SHA256()
    hash.update(data: previous)
    hash.update(data: text)
    return Array(hash.finalize())
  }

  /// A field with its length before it, so that no two rows make one text.
  private static func append(_ field: String, to text: inout [UInt8]) {
    text.append(0x0A)
    text.append(contentsOf: "\(field.utf8.count) ".utf8)
    text.append(contentsOf: field.utf8)
  }

  /// An order as `status/payment_status/reservation/version`, stock as `on_hand/reserved`: of one line each, so that the line feed between the two
  /// says which is which.
  private static func summary(_ state: AuditState) -> String {
    switch state {
    case .order(let order): "\(order.status.rawValue)/\(order.paymentStatus.rawValue)/\(order.reservation.rawValue)/\(order.version)"
    case .stock(let level): "\(level.onHand)/\(level.reserved)"
    case .note(let text): text.replacing("\n", with: " ")
    }
  }
}
