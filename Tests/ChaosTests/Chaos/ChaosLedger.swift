import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport

/// What was confirmed, answered and told, kept apart from everything that the worker keeps.
final class ChaosLedger: Sendable {
  /// The first occurrence of an event.
  struct Told: Sendable, Equatable {
    let id: String
    let type: String
    let cause: String
    let status: String
    let payment: String
  }

  struct Book: Sendable {
    /// Copies that the broker confirmed, by message id.
    var confirmed: [String: Int] = [:]
    /// What each command came to, by message id: more than one is a contradiction.
    var answers: [String: Set<String>] = [:]
    var replies = 0
    var duplicates = 0
    /// Events of each order, by version.
    var events: [String: [Int64: Told]] = [:]
    /// Ids of `order.command_rejected`, by their cause.
    var refusals: [String: Set<String>] = [:]
    var firsts = 0
    var repeats = 0
    var faults: [String] = []
    fileprivate var bodies: [String: Int] = [:]
    fileprivate var last: [String: Int64] = [:]
  }

  private let state = Locked(Book())
  private let onAnswer = Locked<@Sendable (String) -> Void>({ _ in })

  var book: Book { state.withLock { $0 } }
  var firstEvents: Int { state.withLock(\.firsts) }

  func whenAnswered(_ body: @escaping @Sendable (String) -> Void) { onAnswer.withLock { $0 = body } }

  func confirmed(_ ids: some Sequence<String>) { state.withLock { for id in ids { $0.confirmed[id, default: 0] += 1 } } }

  func replies(_ deliveries: [Delivery]) {
    let decoder = JSONDecoder()
    let replies = deliveries.map { try? decoder.decode(Reply.self, from: Data($0.body)) }
    var answered: [String] = []
    state.withLock { state in
      for (delivery, reply) in zip(deliveries, replies) {
        guard let reply, let id = reply.message_id, id == delivery.properties.correlationID else {
          state.faults.append("reply: not one of this run: \(Self.beginning(delivery))")
          continue
        }
        state.replies += 1
        if reply.outcome == "duplicate" { state.duplicates += 1 }
        let outcome = reply.original ?? reply.outcome
        state.answers[id, default: []].insert(reply.error.map { "\(outcome) \($0.code)" } ?? outcome)
        answered.append(id)
      }
    }
    let tell = onAnswer.withLock { $0 }
    for id in answered { tell(id) }
  }

  func events(_ deliveries: [Delivery]) {
    let decoder = JSONDecoder()
    let events = deliveries.map { try? decoder.decode(OrderEvent.self, from: Data($0.body)) }
    state.withLock { state in
      for (delivery, event) in zip(deliveries, events) {
        guard let event else {
          state.faults.append("event: not one: \(Self.beginning(delivery))")
          continue
        }
        let bytes = delivery.body.hashValue
        if let known = state.bodies.updateValue(bytes, forKey: event.id) {
          state.repeats += 1
          if known != bytes { state.faults.append("event: \(event.id) came again with other bytes: \(Self.beginning(delivery))") }
          continue
        }
        state.firsts += 1
        guard let version = event.version, let order = event.order else {
          state.refusals[event.causationid, default: []].insert(event.id)
          continue
        }
        let told = Told(id: event.id, type: event.type, cause: event.causationid, status: order.status, payment: order.payment_status)
        if let known = state.events[event.subject, default: [:]].updateValue(told, forKey: version) {
          state.faults.append("double effect: order \(event.subject) has two events of version \(version): \(known), \(told)")
        }
        let due = (state.last[event.subject] ?? 0) + 1
        if version != due { state.faults.append("out of order: order \(event.subject): version \(version) first came where \(due) was due") }
        state.last[event.subject] = max(version, due - 1)
      }
    }
  }

  private static func beginning(_ delivery: Delivery) -> String { String(decoding: delivery.body.prefix(400), as: UTF8.self) }
}
