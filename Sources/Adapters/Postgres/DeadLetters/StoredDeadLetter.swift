import Application
import Domain
import FoundationEssentials
import PostgresClient

/// A row of `dead_letters` as it is read.
enum StoredDeadLetter {
  /// In the order in which `read` takes them.
  static let columns = """
    d.tenant_id, d.id, d.message_id, d.type, d.order_id, d.reason, d.error, d.attempts, d.state, d.body, d.body_size, d.body_sha256,
    d.headers::text, d.properties::text, d.principal::text, d.command, d.subject, d.fingerprint, d.history::text, d.first_failed_at, d.failed_at
    """

  static func read(_ rows: ResultSet) throws(PostgresError) -> [DeadLetter] {
    var letters: [DeadLetter] = []
    letters.reserveCapacity(rows.rowCount)
    for row in 0..<rows.rowCount { letters.append(try read(rows, row)) }
    return letters
  }

  private static func read(_ rows: ResultSet, _ row: Int) throws(PostgresError) -> DeadLetter {
    func text(_ column: Int) -> String? { rows.isNull(row, column) ? nil : rows.text(row, column) }
    guard let tenant = TenantID(rows.text(row, 0)), let reason = DeadLetterReason(rawValue: rows.text(row, 5)),
      let state = DeadLetterState(rawValue: rows.text(row, 8)), let history = StoredHistory.decode(rows.text(row, 18))
    else { throw .unreadable("dead_letters") }
    var sender: (principal: Principal, isTokenExpired: Bool)?
    if let stored = text(14) {
      guard let read = StoredPrincipal.decode(stored) else { throw .unreadable("dead_letters") }
      sender = read
    }
    let fingerprint = rows.isNull(row, 17) ? nil : Fingerprint(rows.bytes(row, 17))
    return DeadLetter(
      key: DeadLetterKey(tenant: tenant, id: rows.uuidValue(row, 1)), messageID: text(2), type: text(3),
      order: rows.isNull(row, 4) ? nil : rows.uuidValue(row, 4), reason: reason, error: rows.text(row, 6), attempts: Int(rows.int32(row, 7)),
      state: state, body: rows.bytes(row, 9), bodySize: Int(rows.int64(row, 10)), bodyHash: Fingerprint(rows.bytes(row, 11)),
      headers: rows.bytes(row, 12), properties: rows.bytes(row, 13), principal: sender?.principal,
      isTokenExpired: sender?.isTokenExpired ?? false, command: text(15).flatMap(CommandType.init),
      mark: text(16).flatMap { subject in fingerprint.map { ClaimMark(subject: subject, fingerprint: $0) } }, history: history,
      firstFailedAt: Timestamp(microseconds: rows.timestamp(row, 19)), failedAt: Timestamp(microseconds: rows.timestamp(row, 20)))
  }
}

/// The verified sender as `dead_letters.principal` keeps it.
enum StoredPrincipal {
  private struct Stored: Codable {
    let sub: String
    let roles: [String]
    let tenant: String
    let token_expired: Bool?
  }

  static func encode(_ principal: Principal, isTokenExpired: Bool) -> String {
    let stored = Stored(
      sub: principal.subject, roles: Role.allCases.filter(principal.roles.contains).map(\.rawValue), tenant: principal.tenant.rawValue,
      token_expired: isTokenExpired ? true : nil)
    // Codable of plain strings cannot fail.
    return String(decoding: try! JSONEncoder().encode(stored), as: UTF8.self)
  }

  static func decode(_ text: String) -> (principal: Principal, isTokenExpired: Bool)? {
    guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(text.utf8)), let tenant = TenantID(stored.tenant) else { return nil }
    return (Principal(subject: stored.sub, roles: Set(stored.roles.compactMap(Role.init)), tenant: tenant), stored.token_expired ?? false)
  }
}

/// What happened to a dead letter, as `dead_letters.history` keeps it: a JSON array, the oldest first.
enum StoredHistory {
  private struct Stored: Codable {
    let at: String
    let what: String
    let actor: String?
  }

  static func encode(_ events: [DeadLetterEvent]) -> String {
    let stored = events.map { Stored(at: $0.at.description, what: $0.what, actor: $0.actor) }
    // Codable of plain strings cannot fail.
    return String(decoding: try! JSONEncoder().encode(stored), as: UTF8.self)
  }

  static func decode(_ text: String) -> [DeadLetterEvent]? {
    guard let stored = try? JSONDecoder().decode([Stored].self, from: Data(text.utf8)) else { return nil }
    return stored.compactMap { event in Timestamp(event.at).map { DeadLetterEvent(at: $0, what: event.what, actor: event.actor) } }
  }
}
