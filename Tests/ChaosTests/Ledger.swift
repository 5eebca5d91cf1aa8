import ClientRuntime
import Foundation
import RabbitMQClient

/// What was published and confirmed, and what was seen of it in replies and events; a few bytes for each order.
final class Ledger: Sendable {
  struct Totals: Sendable {
    var confirmed = 0
    var accepted = 0
    var duplicates = 0
    var events = 0
    var repeatedEvents = 0
  }

  private struct Entry {
    var confirmed: UInt8 = 0
    var accepted: UInt8 = 0
    var duplicates: UInt8 = 0
    var order: UUID?
    var event: UUID?
  }

  private struct State {
    var entries: [Entry]
    var answered = 0
    var witnessed = 0
    var totals = Totals()
    var faults: [String] = []

    mutating func fault(_ words: @autoclosure () -> String) { if faults.count < 50 { faults.append(words()) } }

    mutating func note(_ number: Int, order text: String?, by source: String) {
      let id = text.flatMap(UUID.init(uuidString:))
      let known = entries[number].order
      if id == nil || known ?? id != id { fault("order \(number): \(source) says \(text ?? "no order id"), others \(known?.uuidString ?? "none")") }
      entries[number].order = known ?? id
    }
  }

  private let plan: OrderPlan
  private let state: Locked<State>

  init(_ plan: OrderPlan) {
    self.plan = plan
    state = Locked(State(entries: Array(repeating: Entry(), count: plan.count)))
  }

  var totals: Totals { state.withLock(\.totals) }
  /// Confirmed messages that no reply has answered yet, as far as has been seen. Another's second answer stands for none of them.
  var unanswered: Int { state.withLock { $0.entries.reduce(0) { $0 + max(0, Int($1.confirmed) - Int($1.accepted) - Int($1.duplicates)) } } }
  /// Whether every order has had a reply.
  var hasRepliesOfAll: Bool { state.withLock { $0.answered == plan.count } }
  /// Whether every order has had an event.
  var hasEventsOfAll: Bool { state.withLock { $0.witnessed == plan.count } }

  func confirmed(_ orders: some Sequence<Int32>) {
    state.withLock {
      for order in orders {
        $0.entries[Int(order)].confirmed += 1
        $0.totals.confirmed += 1
      }
    }
  }

  func fault(_ words: String) { state.withLock { $0.fault(words) } }

  func replies(_ deliveries: [Delivery]) {
    let decoder = JSONDecoder()
    let replies = deliveries.map { try? decoder.decode(Reply.self, from: Data($0.body)) }
    state.withLock { state in
      for (delivery, reply) in zip(deliveries, replies) {
        guard let reply, let id = reply.message_id, let number = plan.order(id) else {
          state.fault("not a reply of this run: \(beginning(delivery))")
          continue
        }
        if state.entries[number].accepted == 0 && state.entries[number].duplicates == 0 { state.answered += 1 }
        if reply.outcome == "accepted" {
          state.entries[number].accepted &+= 1
          state.totals.accepted += 1
        } else if reply.outcome == "duplicate" && reply.original == "accepted" {
          state.entries[number].duplicates &+= 1
          state.totals.duplicates += 1
        } else {
          state.fault("\(id): answered \(beginning(delivery))")
        }
        if delivery.properties.correlationID != id || delivery.properties.type != "order.reply" || reply.status != "pending" || reply.version != 1 {
          state.fault("\(id): a wrong reply, \(delivery.properties.correlationID ?? "no correlation id"): \(beginning(delivery))")
        }
        state.note(number, order: reply.order_id, by: "a reply")
      }
    }
  }

  func events(_ deliveries: [Delivery]) {
    let decoder = JSONDecoder()
    let events = deliveries.map { try? decoder.decode(Event.self, from: Data($0.body)) }
    state.withLock { state in
      for (delivery, event) in zip(deliveries, events) {
        guard let event, event.type == "order.created", let number = event.causationid.flatMap(plan.order), let id = UUID(uuidString: event.id) else {
          state.fault("not an event of this run: \(beginning(delivery))")
          continue
        }
        state.totals.events += 1
        if delivery.properties.messageID != event.id || delivery.routingKey != event.type || event.sequence != "0000000001" {
          state.fault("order \(number): a wrong event, id \(delivery.properties.messageID ?? "none"): \(beginning(delivery))")
        }
        state.note(number, order: event.subject, by: "an event")
        if let known = state.entries[number].event {
          state.totals.repeatedEvents += 1
          if known != id { state.fault("order \(number): two events, \(known) and \(id)") }
        } else {
          state.entries[number].event = id
          state.witnessed += 1
        }
      }
    }
  }

  /// Each difference between what was published and what was seen of it, by name. A command whose worker died may be answered as a
  /// duplicate only.
  /// Each as often as it still wants an answer.
  var unansweredOrders: [Int32] {
    state.withLock { state in
      state.entries.enumerated().flatMap { number, entry in
        Array(repeating: Int32(number), count: max(0, Int(entry.confirmed) - Int(entry.accepted) - Int(entry.duplicates)))
      }
    }
  }

  func differences(workersDied: Bool) -> [String] {
    state.withLock { state in
      for (number, entry) in state.entries.enumerated() {
        let id = plan.messageID(number)
        if entry.confirmed != 2 { state.fault("\(id): published and confirmed \(entry.confirmed) times instead of 2") }
        if entry.event == nil { state.fault("\(id): no order.created") }
        let replies = Int(entry.accepted) + Int(entry.duplicates)
        if replies < 2 { state.fault("\(id): \(replies) replies to 2 messages") }
        if entry.accepted > 1 { state.fault("\(id): accepted \(entry.accepted) times") }
        if entry.accepted == 0 && !workersDied { state.fault("\(id): never accepted, only a duplicate") }
      }
      if Set(state.entries.compactMap(\.order)).count != plan.count { state.fault("not one order for each command") }
      if Set(state.entries.compactMap(\.event)).count != plan.count { state.fault("not one event id for each order") }
      return state.faults
    }
  }

  private func beginning(_ delivery: Delivery) -> String { String(decoding: delivery.body.prefix(400), as: UTF8.self) }
}
