import ClientRuntime
import RabbitMQClient
import TestSupport

/// A service upstream of the worker: sends commands, reads the replies, and hears all events.
final class Upstream: Sendable {
  private struct Answers {
    var all: [String: [CommandAnswer]] = [:]
    var at: [String: ContinuousClock.Instant] = [:]
    var faults: [String] = []
  }

  let world: ProductWorld
  let journal: EventJournal
  private let publisher: Publisher
  private let replies: Consumer
  private let reading: Task<Void, Never>
  private let answers: Locked<Answers>
  private let sent = Locked<[String: ContinuousClock.Instant]>([:])

  init(_ world: ProductWorld) async throws {
    self.world = world
    journal = await EventJournal(try world.events())
    publisher = try world.publisher()
    let (replies, answers) = (try world.replies(), Locked(Answers()))
    (self.replies, self.answers) = (replies, answers)
    reading = Task {
      while true {
        switch await replies.next(max: 1_000) {
        case .deliveries(let some):
          answers.withLock { answers in for delivery in some { Self.note(delivery, in: &answers) } }
          replies.settle([.ack(tag: some.last!.tag, multiple: true)], generation: some.last!.generation)
        case .lost: answers.withLock { $0.faults.append("the connection for replies was lost, and with it some of them") }
        case .stopped: return
        }
      }
    }
    _ = await eventually { replies.state.isConnected }
  }

  private static func note(_ delivery: Delivery, in answers: inout Answers) {
    guard let answer = CommandAnswer(delivery), let id = answer.message_id, id == delivery.properties.correlationID else {
      answers.faults.append("not an answer: \(String(decoding: delivery.body.prefix(400), as: UTF8.self))")
      return
    }
    answers.all[id, default: []].append(answer)
    if answers.at[id] == nil { answers.at[id] = .now }
  }

  /// Publishes in this order and confirms; throws where the broker did not take all of them.
  func send(_ commands: [Publication]) async throws {
    let now = ContinuousClock.now
    sent.withLock { sent in for command in commands { sent[command.properties.messageID!] = now } }
    let outcomes = await publisher.publish(commands, deadline: .after(.seconds(60)))
    guard outcomes.allSatisfy({ $0 == .confirmed }) else { throw Unexpected("not every command was confirmed") }
  }

  /// Sends commands and waits until each is answered; throws where one is not accepted, and says what it was told.
  func accepted(_ commands: [Publication], within limit: Duration = .seconds(60)) async throws {
    try await send(commands)
    let ids = commands.map { $0.properties.messageID! }
    try await answered(ids, within: limit)
    for id in ids {
      let answers = answers(to: id)
      guard answers.map({ $0.original ?? $0.outcome }) == ["accepted"] else { throw Unexpected("\(id): \(answers)") }
    }
  }

  /// Waits until each of these has an answer.
  func answered(_ ids: [String], within limit: Duration = .seconds(60)) async throws {
    if await eventually(within: limit, { answers.withLock { answers in ids.allSatisfy { answers.all[$0] != nil } } }) { return }
    let open = ids.filter { answers(to: $0).isEmpty }
    throw Unexpected("\(open.count) of \(ids.count) commands have no answer, such as \(open.prefix(3))\n\(world.logTail())")
  }

  func answers(to id: String) -> [CommandAnswer] { answers.withLock { $0.all[id] ?? [] } }
  var answeredCount: Int { answers.withLock(\.all.count) }
  var faults: [String] { answers.withLock(\.faults) + journal.faults }

  /// From the publication to the first answer.
  func duration(toAnswerOf id: String) -> Duration? {
    guard let start = sent.withLock({ $0[id] }), let end = answers.withLock({ $0.at[id] }) else { return nil }
    return start.duration(to: end)
  }

  func close() async {
    await publisher.close()
    await replies.close()
    await reading.value
    await journal.close()
  }
}

struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ description: String) { self.description = description }
}
