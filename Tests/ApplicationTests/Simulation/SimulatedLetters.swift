import Application
import Domain
import TestSupport

/// The table of dead letters, and who may replay which.
final class SimulatedLetters: @unchecked Sendable {  // touched by the one thread of its simulation
  unowned let world: SimulatedWorld
  let store = InMemoryDeadLetterStore()
  private var claims: [DeadLetterKey: (life: Life, at: Timestamp)] = [:]

  init(world: SimulatedWorld) { self.world = world }

  var all: [DeadLetter] { store.all }
  func hasKept(_ message: Message) -> Bool { all.contains { $0.key == SimulatedLetterCodec.key(of: message) } }

  /// None is under way, and none is parked whose command was done.
  var isAtRest: Bool { all.allSatisfy { $0.state != .replaying && ($0.state == .resolved || !isDone($0)) } }

  /// Whether its command was done, and not only another of the same id.
  func isDone(_ letter: DeadLetter) -> Bool {
    guard let mark = letter.mark, let id = letter.messageID.flatMap(MessageID.init) else { return false }
    let claim = world.database.tables.claims[CommandIdentity(tenant: .standard, message: id)]
    return claim?.fingerprint == mark.fingerprint && claim?.result != nil
  }

  func committed(_ identity: CommandIdentity, _ claim: Claim) {
    let outcome = claim.result.map { $0.rejection == nil ? "accepted" : "rejected" }
    store.complete(identity, claim.type, as: ClaimMark(subject: claim.subject, fingerprint: claim.fingerprint), outcome: outcome)
  }

  func claimed(_ keys: Set<DeadLetterKey>, by life: Life) {
    for key in keys {
      if let (other, at) = claims[key], !other.isOver, world.database.now < at + DeadLetterReplay.patience { world.violated("two replay one letter at once") }
      claims[key] = (life, world.database.now)
    }
  }

  /// What failed again or was done is nobody's any more.
  func settled() {
    for letter in all where letter.state != .replaying { claims[letter.key] = nil }
  }

  func letGo(_ keys: [DeadLetterKey], by life: Life) {
    for key in keys where claims[key]?.life === life { claims[key] = nil }
  }

  /// A replay is published only by whoever claimed it.
  func replays(_ message: Message, by life: Life) {
    guard message.routingKey == SimulatedLetterCodec.commands, let key = SimulatedLetterCodec.replay(of: message)?.letter else { return }
    if claims[key]?.life !== life { world.violated("a letter was replayed by somebody who had not claimed it") }
  }
}
