import Application
import Domain
import TestSupport

/// The broker: the commands' queue, the retry ladder, the dead letters, and what was published.
final class SimulatedBroker: @unchecked Sendable {  // touched by the one thread of its simulation
  struct Copy {
    let message: Message
    let number: Int64
    /// How often it came back.
    var returns: Int64 = 0
  }

  private unowned let world: SimulatedWorld
  private var queue: [Copy] = []
  private var delayed = 0
  private var copies: Int64 = 0
  /// Copies whose message was forwarded and is safe where it went.
  private var forwarded: Set<Int64> = []
  /// Messages that upstream has yet to send.
  var expected = 0
  private(set) var deadLetters: [Message] = []
  private(set) var replies: [String: [String]] = [:]
  private(set) var newest: [OrderKey: Int64] = [:]
  private(set) var events: [UUIDValue: EncodedEvent] = [:]
  private(set) var snapshots: [OrderKey: Int64] = [:]

  init(world: SimulatedWorld) { self.world = world }

  var isAtRest: Bool {
    expected == 0 && delayed == 0 && queue.isEmpty && world.sources.allSatisfy { $0?.hasNothing ?? true }
  }

  func put(_ message: Message) {
    copies += 1
    var message = message
    message.headers.removeAll { $0.name == "x-copy" }
    message.headers.append(MessageHeader("x-copy", .int64(copies)))
    giveBack([Copy(message: message, number: copies)], returned: false)
  }

  func giveBack(_ given: [Copy], returned: Bool = true) {
    for copy in given {
      var copy = copy
      if returned { copy.returns += 1 }
      queue.append(copy)
    }
    for source in world.sources { source?.wake() }
  }

  /// Mostly the oldest ones; now and then whichever.
  func take(_ most: Int) -> [Copy] {
    if world.isOut(.broker) { return [] }
    let count = min(queue.count, Int.random(in: 1...most, using: &world.executor.random))
    return (0..<count).map { _ in
      let isInOrder = Int.random(in: 0..<4, using: &world.executor.random) > 0
      return queue.remove(at: isInOrder ? 0 : Int.random(in: queue.indices, using: &world.executor.random))
    }
  }

  /// Nothing may be acknowledged before its effects are committed, or the message is safe elsewhere.
  func acknowledged(_ copy: Copy) {
    world.tell("acknowledged \(copy.message.messageID ?? "?")")
    if forwarded.contains(copy.number) { return }
    guard let id = copy.message.messageID.flatMap(MessageID.init) else { return world.violated("acknowledged without having been read") }
    if world.database.tables.claims[CommandIdentity(tenant: .standard, message: id)] == nil {
      world.violated("\(id.rawValue) was acknowledged before it was committed")
    }
  }

  /// To a rung of the ladder or to the dead letters.
  func forward(_ message: Message) {
    world.tell("\(message.messageID ?? "?") goes to \(message.routingKey)")
    if case .int64(let number)? = message.header("x-copy") { forwarded.insert(number) }
    guard let rung = message.routingKey.split(separator: ".").last.flatMap({ RetryRung(rawValue: String($0)) }) else {
      deadLetters.append(message)
      return
    }
    delayed += 1
    world.executor.at(world.executor.now + rung.time) { [unowned self] _ in
      delayed -= 1
      put(message)
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
