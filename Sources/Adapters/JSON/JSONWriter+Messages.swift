import Application
import Domain

/// The parts that several messages share.
extension JSONWriter {
  /// The attributes of a CloudEvent, from its opening brace on; `version` is nil for an event that is no version.
  mutating func eventAttributes(_ type: EventType, id: UUIDValue, order: OrderKey, version: Int64?, _ context: EventContext, _ trace: EventTrace?) {
    raw("{\"specversion\":\"1.0\"")
    member("id") { id.appendText(to: &$0) }
    member("source") {
      $0.append(contentsOf: "/orders/".utf8)
      $0.append(contentsOf: order.tenant.rawValue.utf8)
    }
    member("type", type.rawValue)
    member("subject") { order.order.appendText(to: &$0) }
    member("time") { context.at.appendText(to: &$0) }
    raw(",\"datacontenttype\":\"application/json\"")
    member("dataschema") {
      $0.append(contentsOf: "urn:order-worker:schema:events:".utf8)
      $0.append(contentsOf: type.rawValue.utf8)
      $0.append(contentsOf: ":1".utf8)
    }
    member("correlationid", context.correlationID)
    member("causationid", context.causationID)
    member("partitionkey") { order.order.appendText(to: &$0) }
    // CloudEvents orders `sequence` as text.
    if let version { member("sequence") { Self.append(version, to: &$0, width: 10) } }
    // Without a cause's a trace of the event's own, not sampled. It follows from the event's id, so that a repeat has the same; the id's version and
    // variant keep it from zero.
    if trace == nil, let traceparent = context.traceparent {
      member("traceparent", traceparent)
    } else {
      let own = trace?.context ?? TraceContext(trace: id, span: id.low, isSampled: false)
      member("traceparent") { own.append(to: &$0) }
    }
  }

  mutating func lines(_ lines: [OrderLine], withTotals: Bool) {
    name("items")
    array(lines) { json, line in
      json.raw("{")
      json.member("product_id", line.product.rawValue)
      json.member("quantity", line.quantity.value)
      json.member("unit_price") { line.unitPrice.appendText(to: &$0) }
      if withTotals { json.member("total_price") { line.total.appendText(to: &$0) } }
      json.raw("}")
    }
  }

  mutating func metadata(_ entries: [MetadataEntry]) {
    name("metadata")
    raw("{")
    for (i, entry) in entries.enumerated() {
      if i > 0 { raw(",") }
      string(entry.key)
      raw(":")
      string(entry.value)
    }
    raw("}")
  }

  /// A command in the form of its body, with its type, without its payment method.
  mutating func command(_ command: Command) {
    raw("{")
    member("type", command.type.rawValue)
    member("order_id") { command.order.appendText(to: &$0) }
    switch command {
    case .create(let create):
      member("customer_id", create.customer.rawValue)
      member("currency", create.total.currency.code)
      lines(create.lines, withTotals: false)
      name("confirm")
      raw(create.confirm ? "true" : "false")
      metadata(create.metadata)
    case .updateStatus(let update):
      member("status", update.status.rawValue)
      if let reason = update.reason { member("reason", reason) }
      if let version = update.expectedVersion { member("expected_version", version) }
    }
    raw("}")
  }

  mutating func result(_ result: CommandResult) {
    if let order = result.order { member("order_id") { order.appendText(to: &$0) } }
    if let status = result.status { member("status", status.rawValue) }
    if let version = result.version { member("version", version) }
    if let rejection = result.rejection { error(rejection.code.rawValue, rejection.message, rejection.details) }
  }

  mutating func error(_ code: String, _ message: String, _ details: [Fault]) {
    name("error")
    raw("{")
    member("code", code)
    member("message", message)
    name("details")
    array(details) { json, fault in
      json.raw("{")
      json.member("path", fault.path)
      json.member("code", fault.code.rawValue)
      json.member("message", fault.message)
      if let requested = fault.requested { json.member("requested", requested) }
      if let available = fault.available { json.member("available", available) }
      json.raw("}")
    }
    raw("}")
  }
}
