import Application
import Domain
import PostgresClient

/// What a batch writes beside its orders: history, stock, audit, outbox, and the claims.
extension BatchWriter {
  func addHistory(to pipeline: inout Pipeline) {
    guard !writes.history.isEmpty else { return }
    var tenant = TextArray()
    var order = UUIDArray()
    var version = Int64Array()
    var status = TextArray()
    var previous = TextArray()
    var payment = TextArray()
    var at = TimestampArray()
    var actor = TextArray()
    var message = TextArray()
    var reason = TextArray()
    for entry in writes.history {
      tenant.append(entry.order.tenant.rawValue)
      order.append(high: entry.order.order.high, low: entry.order.order.low)
      version.append(entry.version)
      status.append(entry.status.rawValue)
      previous.append(entry.previousStatus?.rawValue)
      payment.append(entry.paymentStatus.rawValue)
      at.append(entry.at.microseconds)
      actor.append(entry.actor)
      message.append(entry.message.rawValue)
      reason.append(entry.reason)
    }
    pipeline.append(
      BatchStatements.insertHistory,
      Parameters([
        .array(tenant), .array(order), .array(version), .array(status), .array(previous), .array(payment), .array(at), .array(actor), .array(message),
        .array(reason),
      ]))
  }

  func addOutbox(to pipeline: inout Pipeline) {
    guard !writes.events.isEmpty || !writes.replies.isEmpty else { return }
    var tenant = TextArray()
    var order = UUIDArray()
    var version = Int64Array()
    var event = UUIDArray()
    var type = TextArray()
    var body = ByteaArray()
    var replyTo = TextArray()
    var correlation = TextArray()
    var traceparent = TextArray()
    func add(_ key: OutboxKey, _ kind: String, _ bytes: [UInt8], _ trace: String?, to queue: String? = nil, _ id: String? = nil) {
      tenant.append(key.order.tenant.rawValue)
      order.append(high: key.order.order.high, low: key.order.order.low)
      version.append(key.version)
      event.append(high: key.event.high, low: key.event.low)
      type.append(kind)
      body.append(bytes)
      replyTo.append(queue)
      correlation.append(id)
      traceparent.append(trace)
    }
    for event in writes.events { add(event.key, event.type.rawValue, event.body, event.trace?.context.traceparent) }
    for stored in writes.replies {
      let reply = stored.reply
      add(stored.key, PostgresOutbox.replyType, reply.body, reply.traceparent, to: reply.to, reply.correlationID)
    }
    pipeline.append(
      BatchStatements.insertOutbox,
      Parameters([
        .array(tenant), .array(order), .array(version), .array(event), .array(type), .array(body), .array(replyTo), .array(correlation),
        .array(traceparent),
      ]))
  }

  func addClaims(to pipeline: inout Pipeline) {
    guard !writes.claims.isEmpty else { return }
    var tenant = TextArray()
    var message = TextArray()
    var order = UUIDArray()
    var outcome = TextArray()
    var type = TextArray()
    var subject = TextArray()
    var fingerprint = ByteaArray()
    var status = TextArray()
    var version = Int64Array()
    var rejection = TextArray()
    // Positions are cheaper to move than claims.
    for position in writes.claims.indices.sorted(by: { writes.claims[$0].identity < writes.claims[$1].identity }) {
      let (identity, claim) = (writes.claims[position].identity, writes.claims[position].claim)
      tenant.append(identity.tenant.rawValue)
      message.append(identity.message.rawValue)
      order.append(claim.result?.order)
      outcome.append(claim.result?.outcome)
      type.append(claim.type.rawValue)
      subject.append(claim.subject)
      fingerprint.append(claim.fingerprint.bytes)
      status.append(claim.result?.status?.rawValue)
      version.append(claim.result?.version)
      rejection.append(claim.result?.rejection.map(StoredRejection.encode))
    }
    pipeline.append(
      BatchStatements.insertClaims,
      Parameters([
        .array(tenant), .array(message), .array(order), .array(outcome), .array(type), .array(subject), .array(fingerprint), .array(status),
        .array(version), .array(rejection), .uuid(high: batch.high, low: batch.low), .timestamp(now.microseconds),
      ]))
  }

  static func outboxColumns(_ keys: [OutboxKey]) -> Parameters {
    var tenant = TextArray(capacity: keys.count)
    var order = UUIDArray(capacity: keys.count)
    var version = Int64Array(capacity: keys.count)
    var event = UUIDArray(capacity: keys.count)
    for key in keys {
      tenant.append(key.order.tenant.rawValue)
      order.append(high: key.order.order.high, low: key.order.order.low)
      version.append(key.version)
      event.append(high: key.event.high, low: key.event.low)
    }
    return Parameters([.array(tenant), .array(order), .array(version), .array(event)])
  }
}
