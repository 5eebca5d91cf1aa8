import ClientRuntime
import RabbitMQClient
import TestSupport

/// As many commands as the broker takes, so that workers always have a backlog, and what comes of each: counted, for there are too many to keep.
final class FullLoad: Sendable {
  private struct State {
    var next = 0
    var confirmed = 0
    var paused = false
    var over = false
    var replies: [String: Int] = [:]
    var other: [String] = []
    var events: Set<String> = []
    var repeats = 0
  }

  private static let products = 20
  private static let chunk = 200
  /// So many unanswered commands are enough: more than a worker has handed out ahead.
  private static let backlog = 6_000

  let world: ProductWorld
  private let state = Locked(State())
  private let publisher: Publisher
  private let consumers: [Consumer]
  private let listening: [Task<Void, Never>]

  /// Returns once replies and events are listened to.
  init(_ world: ProductWorld) async throws {
    self.world = world
    publisher = try world.publisher()
    let (replies, events) = (try world.replies(), try world.events())
    consumers = [replies, events]
    let state = state
    listening = [
      Task { await Self.listen(replies, state) { Self.note(reply: $0, in: &$1) } },
      Task { await Self.listen(events, state) { Self.note(event: $0, in: &$1) } },
    ]
    try await world.setStock(Dictionary(uniqueKeysWithValues: (0..<Self.products).map { ("p\($0)", 1_000_000_000) }))
    _ = await eventually { replies.state.isConnected && events.state.isConnected }
  }

  /// Commands that the broker has confirmed.
  var confirmed: Int { state.withLock(\.confirmed) }
  /// Commands with an answer.
  var answered: Int { state.withLock(\.replies.count) }
  /// Answers beyond each command's first.
  var repeatedAnswers: Int { state.withLock { $0.replies.values.reduce(0) { $0 + $1 - 1 } } }
  /// Answers that are not `accepted`, such as those of commands that were done twice.
  var otherAnswers: [String] { state.withLock(\.other) }
  var events: Int { state.withLock(\.events.count) }
  var repeatedEvents: Int { state.withLock(\.repeats) }

  /// Publishes until it is told to end, or the test has failed: who began this waits for its end, and would wait forever.
  func run() async {
    while !Task.isCancelled {
      let range = state.withLock { state -> Range<Int>? in
        if state.over { return nil }
        if state.paused || state.next - state.replies.count >= Self.backlog { return 0..<0 }
        defer { state.next += Self.chunk }
        return state.next..<state.next + Self.chunk
      }
      guard let range else { return }
      if range.isEmpty {
        try? await Task.sleep(for: .milliseconds(2))
        continue
      }
      let outcomes = await publisher.publish(range.map(publication), deadline: .after(.seconds(30)))
      state.withLock { $0.confirmed += outcomes.count { $0 == .confirmed } }
    }
  }

  /// Returns when what was published is confirmed; false where it is not in time.
  func pause() async -> Bool {
    state.withLock { $0.paused = true }
    return await eventually { state.withLock { $0.confirmed == $0.next } }
  }

  func goOn() { state.withLock { $0.paused = false } }
  func end() { state.withLock { $0.over = true } }

  func close() async {
    await publisher.close()
    for consumer in consumers { await consumer.close() }
    for task in listening { await task.value }
  }

  private func publication(_ number: Int) -> Publication {
    world.publication(ProductWorld.create([("p\(number % Self.products)", 1)]), id: "m\(number)")
  }

  private static func listen(_ consumer: Consumer, _ state: Locked<State>, _ note: (Delivery, inout State) -> Void) async {
    while true {
      switch await consumer.next(max: 2_000) {
      case .deliveries(let some):
        state.withLock { state in for delivery in some { note(delivery, &state) } }
        consumer.settle([.ack(tag: some.last!.tag, multiple: true)], generation: some.last!.generation)
      case .lost: continue
      case .stopped: return
      }
    }
  }

  private static func note(reply: Delivery, in state: inout State) {
    state.replies[reply.properties.correlationID ?? "", default: 0] += 1
    let body = String(decoding: reply.body.prefix(200), as: UTF8.self)
    if !body.hasPrefix(#"{"outcome":"accepted""#) { state.other.append(body) }
  }

  private static func note(event: Delivery, in state: inout State) {
    if !state.events.insert(event.properties.messageID ?? "").inserted { state.repeats += 1 }
  }
}
