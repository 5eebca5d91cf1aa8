import ClientRuntime
import RabbitMQClient

/// What the outside saw of a run: which commands were published and confirmed, and which events and replies came. Compared with the
/// database afterwards.
final class Ledger: Sendable {
  struct Seen: Sendable {
    var confirmed = 0
    /// Event ids by order, of `order.created`.
    var created: [String: Set<String>] = [:]
    var repeatedEvents = 0
    var rejected = 0
    /// Outcomes by message id.
    var replies: [String: [String]] = [:]
  }

  private let state = Locked(Seen())
  var seen: Seen { state.withLock { $0 } }

  func confirmed(_ outcomes: [PublishOutcome]) { state.withLock { $0.confirmed += outcomes.count { $0 == .confirmed } } }

  /// Takes events until it is cancelled, and settles them.
  func follow(events: Consumer) async {
    await follow(events) { seen, delivery in
      guard let id = delivery.properties.messageID, let type = delivery.properties.type else { return }
      if type == "order.rejected" { seen.rejected += 1 }
      guard type == "order.created", let subject = Self.value(of: "subject", in: delivery.body) else { return }
      if !seen.created[subject, default: []].insert(id).inserted { seen.repeatedEvents += 1 }
    }
  }

  func follow(replies: Consumer) async {
    await follow(replies) { seen, delivery in
      guard let id = delivery.properties.correlationID, let outcome = Self.value(of: "outcome", in: delivery.body) else { return }
      seen.replies[id, default: []].append(outcome)
    }
  }

  private func follow(_ consumer: Consumer, _ take: @Sendable (inout Seen, Delivery) -> Void) async {
    while true {
      switch await consumer.next(max: 1_000) {
      case .deliveries(let deliveries):
        state.withLock { seen in for delivery in deliveries { take(&seen, delivery) } }
        consumer.settle([.ack(tag: deliveries.last!.tag, multiple: true)], generation: deliveries.last!.generation)
      case .lost: continue
      case .stopped: return
      }
    }
  }

  /// The first member of this name with a string value, in compact JSON.
  private static func value(of name: String, in body: [UInt8]) -> String? {
    let key = Array("\"\(name)\":\"".utf8)
    guard let start = body.firstRange(of: key)?.upperBound, let end = body[start...].firstIndex(of: UInt8(ascii: "\"")) else { return nil }
    return String(decoding: body[start..<end], as: UTF8.self)
  }
}
