import ClientRuntime
import Foundation
import RabbitMQClient

/// Which commands were confirmed to the sender, and what replies and events said of them. Repeats are allowed, contradictions are not.
final class FlowLedger: Sendable {
  private struct State {
    var confirmed: Set<String> = []
    var lastConfirm = ContinuousClock.now
    /// When confirms came again after a pause, and how long that was.
    var confirmPauses: [(end: Date, length: Duration)] = []
    var acknowledged: [String: String] = [:]
    var told: [String: (order: String, event: String)] = [:]
    var faults: [String] = []
  }

  private let state = Locked(State())

  func confirm(_ ids: [String]) {
    if ids.isEmpty { return }
    state.withLock { state in
      state.confirmed.formUnion(ids)
      let now = ContinuousClock.now
      state.confirmPauses.append((.now, state.lastConfirm.duration(to: now)))
      state.lastConfirm = now
    }
  }

  func replies(_ deliveries: [Delivery]) {
    let decoder = JSONDecoder()
    let replies = deliveries.map { ($0, try? decoder.decode(Reply.self, from: Data($0.body))) }
    state.withLock { state in
      for (delivery, reply) in replies {
        guard let reply, let id = reply.message_id, let order = reply.order_id, [reply.outcome, reply.original].contains("accepted") else {
          state.faults.append("an unexpected reply: \(String(decoding: delivery.body.prefix(400), as: UTF8.self))")
          continue
        }
        let known = state.acknowledged.updateValue(order, forKey: id)
        if let known, known != order { state.faults.append("\(id): one reply says order \(known), another \(order)") }
      }
    }
  }

  func events(_ deliveries: [Delivery]) {
    let decoder = JSONDecoder()
    let events = deliveries.map { ($0, try? decoder.decode(Event.self, from: Data($0.body))) }
    state.withLock { state in
      for (delivery, event) in events {
        guard let event, event.type == "order.created", let id = event.causationid, let order = event.subject else {
          state.faults.append("an unexpected event: \(String(decoding: delivery.body.prefix(400), as: UTF8.self))")
          continue
        }
        let known = state.told.updateValue((order, event.id), forKey: id)
        if let known, known != (order, event.id) { state.faults.append("\(id): events \(known.event) of \(known.order) and \(event.id) of \(order)") }
      }
    }
  }

  var confirmed: Set<String> { state.withLock(\.confirmed) }
  var acknowledged: Int { state.withLock(\.acknowledged.count) }
  func isAnswered(_ id: String) -> Bool { state.withLock { $0.acknowledged[id] != nil } }
  var told: Int { state.withLock(\.told.count) }

  /// The longest time without a confirm that ended within the time span.
  func longestConfirmPause(endingIn span: DateInterval) -> Duration {
    state.withLock { $0.confirmPauses.filter { span.contains($0.end) }.map(\.length).max() ?? .zero }
  }

  /// Each difference between what the sender and the listeners know and the orders that the database has, by message id.
  func differences(from orders: [String: String]) -> [String] {
    state.withLock { state in
      var differences = state.faults
      for id in state.confirmed.sorted() where orders[id] == nil { differences.append("\(id): confirmed and lost") }
      for (id, order) in state.acknowledged.sorted(by: { $0.key < $1.key }) where orders[id] != order {
        differences.append("\(id): answered as order \(order), the database has \(orders[id] ?? "none")")
      }
      for (id, told) in state.told.sorted(by: { $0.key < $1.key }) where orders[id] != told.order {
        differences.append("\(id): told as order \(told.order), the database has \(orders[id] ?? "none")")
      }
      for id in orders.keys.sorted() where state.told[id] == nil { differences.append("\(id): no order.created") }
      return differences
    }
  }
}
