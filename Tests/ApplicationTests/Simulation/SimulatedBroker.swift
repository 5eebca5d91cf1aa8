import Application
import Domain
import TestSupport

/// The broker: the commands' queue, the retry ladder, the dead letters, and what was published.
final class SimulatedBroker: @unchecked Sendable {  // touched by the one thread of its simulation
  private unowned let world: SimulatedWorld
  let commands: SimulatedQueue
  let deadLetterQueue: SimulatedQueue
  private var delayed = 0
  /// Copies whose message was forwarded and is safe where it went.
  private var forwarded: Set<Int64> = []
  /// Messages that upstream has yet to send.
  var expected = 0
  /// How many failed tries the ladder was told of, the most of each message.
  private(set) var attempts: [String: Int] = [:]
  /// All that ever were.
  private(set) var deadLetters: [Message] = []
  private(set) var replies: [String: [String]] = [:]
  private(set) var newest: [OrderKey: Int64] = [:]
  private(set) var events: [UUIDValue: EncodedEvent] = [:]
  private(set) var snapshots: [OrderKey: Int64] = [:]

  init(world: SimulatedWorld) {
    self.world = world
    commands = SimulatedQueue(world: world)
    deadLetterQueue = SimulatedQueue(world: world)
    commands.onAcknowledge = { [unowned self] in acknowledged($0) }
    deadLetterQueue.onAcknowledge = { [unowned world] copy in
      if !world.letters.hasKept(copy.message) { world.violated("a dead letter was acknowledged before it was kept") }
    }
  }

  var isAtRest: Bool { expected == 0 && delayed == 0 && commands.isAtRest && deadLetterQueue.isAtRest }

  /// Nothing may be acknowledged before its effects are committed, or the message is safe elsewhere.
  private func acknowledged(_ copy: SimulatedQueue.Copy) {
    world.tell("acknowledged \(copy.message.messageID ?? "?")")
    if forwarded.contains(copy.number) { return }
    guard let id = copy.message.messageID.flatMap(MessageID.init) else { return world.violated("acknowledged without having been read") }
    // Another command of the same id is not this one.
    let claim = world.database.tables.claims[CommandIdentity(tenant: .standard, message: id)]
    if claim?.fingerprint != Fingerprint(copy.message.body) {
      world.violated("\(id.rawValue) was acknowledged before it was committed")
    }
  }

  /// To a rung of the ladder, to the dead letters, or back to the commands.
  func forward(_ message: Message) {
    world.tell("\(message.messageID ?? "?") goes to \(message.routingKey)")
    if message.routingKey == SimulatedLetterCodec.commands { return commands.put(message) }
    if case .int64(let number)? = message.header("x-copy") { forwarded.insert(number) }
    guard let rung = message.routingKey.split(separator: ".").last.flatMap({ RetryRung(rawValue: String($0)) }) else {
      deadLetters.append(message)
      return deadLetterQueue.put(message)
    }
    let journey = message.header("x-order-principal")?.text.flatMap { PlainCodec().open($0, messageID: nil, type: nil, bodyHash: []) }?.journey
    attempts[message.messageID ?? "?"] = max(attempts[message.messageID ?? "?"] ?? 0, journey?.attempt ?? 0)
    delayed += 1
    world.executor.at(world.executor.now + rung.time) { [unowned self] _ in
      delayed -= 1
      commands.put(message)
    }
  }

  func publish(_ event: EncodedEvent) {
    let key = event.key
    world.tell("event \(event.type.rawValue) \(key.version) of \(key.order.order)")
    if let known = events[key.event], known != event { world.violated("an event's repeat differs: \(event.type.rawValue) \(key.version)") }
    if events.updateValue(event, forKey: key.event) != nil { world.saw("repeated an event") }
    guard key.version > 0 else { return }
    if key.version > world.database.tables.orders[key.order]?.version ?? 0 { world.violated("event \(key.version) was published before it was committed") }
    let seen = newest[key.order, default: 0]
    if key.version > seen + 1 { world.violated("event \(key.version) of an order came first after \(seen)") }
    newest[key.order] = max(seen, key.version)
  }

  func send(_ reply: Reply) {
    world.tell("reply to \(reply.correlationID ?? "?"): \(String(decoding: reply.body, as: UTF8.self))")
    replies[reply.correlationID ?? "?", default: []].append(String(decoding: reply.body, as: UTF8.self))
  }

  func cache(_ snapshot: Snapshot) {
    if snapshot.version > world.database.tables.orders[snapshot.key]?.version ?? 0 { world.violated("the cache was told what is not committed") }
    snapshots[snapshot.key] = max(snapshot.version, snapshots[snapshot.key] ?? 0)
  }
}

extension RetryRung {
  fileprivate var time: Duration {
    switch self {
    case .oneSecond: .seconds(1)
    case .fiveSeconds: .seconds(5)
    case .thirtySeconds: .seconds(30)
    case .twoMinutes: .seconds(120)
    case .tenMinutes: .seconds(600)
    }
  }
}
