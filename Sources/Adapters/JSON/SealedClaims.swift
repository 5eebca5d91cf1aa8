import Application
import Domain

/// The claims of a sealed journey, the same whatever seals them.
enum SealedClaims {
  /// `expiresAt` in seconds since 1970 (RFC 7519), of what is not to be kept.
  static func write(_ sealed: SealedJourney, expiresAt: Int64? = nil) -> [UInt8] {
    var json = JSONWriter(capacity: 384)
    json.raw("{")
    if let id = sealed.messageID { json.member("message_id", id) }
    // A retried message may name its type by another version's name.
    if let type = sealed.type { json.member("type", CommandName.canonical(type)) }
    json.name("body_sha256")
    json.raw("\"")
    Base64.appendURL(sealed.bodyHash, to: &json.bytes)
    json.raw("\"")
    if let principal = sealed.principal {
      json.member("sub", principal.subject)
      json.name("roles")
      json.array(Role.allCases.filter(principal.roles.contains)) { $0.string($1.rawValue) }
      json.member("tenant", principal.tenant.rawValue)
    }
    if sealed.isTokenExpired { json.raw(",\"token_expired\":true") }
    if let expiresAt { json.member("exp", expiresAt) }
    json.member("attempt", Int64(sealed.journey.attempt))
    json.member("early", Int64(sealed.journey.earlyTries))
    json.member("waits", Int64(sealed.journey.paymentWaits))
    if let at = sealed.journey.firstFailedAt { json.member("first_failed_at", at.microseconds) }
    if let replay = sealed.journey.replay {
      json.name("fail_fast")
      json.raw("true")
      json.member("dead_letter") { replay.letter.id.appendText(to: &$0) }
      json.member("dead_letter_tenant", replay.letter.tenant.rawValue)
      json.member("replayed_by", replay.by)
    }
    json.raw("}")
    return json.bytes
  }

  /// Nil also for claims that were made for another message.
  static func read(_ document: JSONDocument, of messageID: String?, _ type: String?, _ bodyHash: [UInt8]) -> SealedJourney? {
    guard let sealed = read(document), isSame(sealed.messageID, messageID), isSame(sealed.type, type.map(CommandName.canonical)), sealed.bodyHash == bodyHash
    else { return nil }
    return sealed
  }

  /// By bytes: `String` takes two spellings of `é` for one, and commands do not.
  private static func isSame(_ a: String?, _ b: String?) -> Bool { a.map { Array($0.utf8) } == b.map { Array($0.utf8) } }

  /// Of `exp`, in seconds since 1970; `.max` where there is none, and nil where it is no whole number.
  static func expiry(_ document: JSONDocument) -> Int64? {
    guard let node = document.field("exp", of: document.root) else { return .max }
    return node.kind == .number ? try? WholeNumber.parse(document.source(node)) : nil
  }

  /// Nil where a claim is missing or is none of ours.
  private static func read(_ document: JSONDocument) -> SealedJourney? {
    func text(_ name: StaticString) -> String?? {
      guard let node = document.field(name, of: document.root) else { return .some(nil) }
      return node.kind == .string ? .some(document.text(node)) : nil
    }
    func number(_ name: StaticString) -> Int64?? {
      guard let node = document.field(name, of: document.root) else { return .some(nil) }
      guard node.kind == .number, let value = try? WholeNumber.parse(document.source(node)) else { return nil }
      return .some(value)
    }
    guard let messageID = text("message_id"), let type = text("type"), let hash = text("body_sha256")??.utf8,
      let bodyHash = Base64.decode(hash, .url), let subject = text("sub"), let tenant = text("tenant"), let attempt = number("attempt"),
      let early = number("early"), let waits = number("waits"), let firstFailedAt = number("first_failed_at"), let attempts = count(attempt),
      let earlyTries = count(early),
      let paymentWaits = count(waits)
    else { return nil }
    var principal: Principal?
    if let subject {
      guard let tenant = tenant.flatMap(TenantID.init), let roles = roles(document), !subject.utf8.contains(0) else { return nil }
      principal = Principal(subject: subject, roles: roles, tenant: tenant)
    }
    guard let letter = text("dead_letter"), let letterTenant = text("dead_letter_tenant"), let replayedBy = text("replayed_by") else { return nil }
    var replay: ReplayMark?
    if let letter {
      guard let id = UUIDValue(letter), let tenant = letterTenant.flatMap(TenantID.init), let replayedBy else { return nil }
      replay = ReplayMark(letter: DeadLetterKey(tenant: tenant, id: id), by: replayedBy)
    }
    return SealedJourney(
      messageID: messageID, type: type, bodyHash: bodyHash, principal: principal,
      isTokenExpired: document.field("token_expired", of: document.root)?.kind == .yes,
      journey: Journey(
        attempt: attempts, earlyTries: earlyTries, paymentWaits: paymentWaits, firstFailedAt: firstFailedAt.map(Timestamp.init(microseconds:)),
        replay: replay))
  }

  private static func count(_ value: Int64?) -> Int? {
    let value = value ?? 0
    return (0...1_000_000).contains(value) ? Int(value) : nil
  }

  private static func roles(_ document: JSONDocument) -> Set<Role>? {
    guard let node = document.field("roles", of: document.root), node.kind == .array else { return nil }
    var roles: Set<Role> = []
    var areKnown = true
    document.forEachElement(of: node) { _, element in
      let role = element.kind == .string ? Role(rawValue: document.text(element)) : nil
      areKnown = role != nil
      if let role { roles.insert(role) }
      return areKnown
    }
    return areKnown ? roles : nil
  }
}
