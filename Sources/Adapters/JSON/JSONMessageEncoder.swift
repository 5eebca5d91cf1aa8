import Application
import Domain

/// Writes orders, events (structured CloudEvents 1.0) and replies as UTF-8 JSON.
///
/// A member without a value is left out, but for `previous_status` of a first version and `order` of a refused command without one, which are `null`.
/// A payment method is never written.
package struct JSONMessageEncoder: MessageEncoder {
  private let isTracing: Bool

  /// With `isTracing` an event of a recorded trace is a span of its own in it; without, it says the `traceparent` that its cause came with.
  package init(isTracing: Bool = false) { self.isTracing = isTracing }

  package func order(_ order: Order) -> [UInt8] {
    var json = JSONWriter(capacity: 512 + 128 * order.lines.count + 64 * order.metadata.count)
    json.raw("{")
    json.member("order_id") { order.key.order.appendText(to: &$0) }
    json.member("tenant_id", order.key.tenant.rawValue)
    json.member("customer_id", order.customer.rawValue)
    json.member("status", order.status.rawValue)
    json.member("payment_status", order.paymentStatus.rawValue)
    json.member("reservation", order.reservation.rawValue)
    json.member("version", order.version)
    json.member("currency", order.currency.code)
    json.member("total_amount") { order.total.appendText(to: &$0) }
    json.lines(order.lines, withTotals: true)
    json.metadata(order.metadata)
    json.member("created_at") { order.createdAt.appendText(to: &$0) }
    json.member("updated_at") { order.updatedAt.appendText(to: &$0) }
    json.raw("}")
    return json.bytes
  }

  package func event(of change: Change, order: [UInt8], context: EventContext) -> EncodedEvent {
    let key = change.order.key
    let id = NameUUID.event(of: key, version: change.order.version)
    let trace = trace(of: id, context)
    var json = JSONWriter(capacity: order.count + 1_024)
    json.eventAttributes(change.event, id: id, order: key, version: change.order.version, context, trace)
    json.raw(",\"data\":")
    // The order's closing brace goes behind what the event adds to it.
    json.bytes.append(contentsOf: order.dropLast())
    if let previous = change.previousStatus { json.member("previous_status", previous.rawValue) } else { json.raw(",\"previous_status\":null") }
    json.raw("}}")
    return EncodedEvent(key: OutboxKey(order: key, version: change.order.version, event: id), type: change.event, body: json.bytes, trace: trace)
  }

  package func command(_ command: Command) -> [UInt8] {
    var json = JSONWriter(capacity: 512)
    json.command(command)
    return json.bytes
  }

  package func replyID(_ identity: CommandIdentity) -> UUIDValue { NameUUID.reply(identity) }

  package func commandRejected(_ refused: RefusedCommand, _ rejection: Rejection, order: Order?, context: EventContext) -> EncodedEvent {
    let key = refused.order
    let id = NameUUID.rejection(refused.identity)
    let trace = trace(of: id, context)
    var json = JSONWriter(capacity: refused.body.count + 2_048)
    json.eventAttributes(.commandRejected, id: id, order: key, version: nil, context, trace)
    json.raw(",\"data\":{\"command\":")
    json.bytes.append(contentsOf: refused.body)
    json.error(rejection.code.rawValue, rejection.message, rejection.details)
    json.name("order")
    if let order { json.bytes.append(contentsOf: self.order(order)) } else { json.raw("null") }
    json.raw("}}")
    return EncodedEvent(key: OutboxKey(order: key, version: 0, event: id), type: .commandRejected, body: json.bytes, trace: trace)
  }

  package func reply(_ outcome: ReplyOutcome, messageID: String?) -> [UInt8] {
    var json = JSONWriter(capacity: 256)
    json.raw("{")
    switch outcome {
    case .first(let result):
      json.member("outcome", Self.word(result))
      if let messageID { json.member("message_id", messageID) }
      json.result(result)
    case .duplicate(let result):
      json.member("outcome", "duplicate")
      json.member("original", Self.word(result))
      if let messageID { json.member("message_id", messageID) }
      json.result(result)
    case .deadLettered(let reason, let error, let faults):
      json.member("outcome", "dead_lettered")
      if let messageID { json.member("message_id", messageID) }
      json.error(reason.rawValue, error, faults)
    }
    json.raw("}")
    return json.bytes
  }

  private func trace(of id: UUIDValue, _ context: EventContext) -> EventTrace? { isTracing ? EventTrace(of: id, after: context.traceparent) : nil }

  private static func word(_ result: CommandResult) -> String { result.rejection == nil ? "accepted" : "rejected" }
}
