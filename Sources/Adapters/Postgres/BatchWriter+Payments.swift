import Application
import Domain
import PostgresClient

/// What a batch writes of payments and of the commands that waited for them.
extension BatchWriter {
  func addPayments(to pipeline: inout Pipeline) {
    // Settled before opened: an order has one open operation at most.
    addSettled(to: &pipeline)
    addPostponed(to: &pipeline)
    addOpened(to: &pipeline)
    addSettledClaims(to: &pipeline)
  }

  private func addOpened(to pipeline: inout Pipeline) {
    guard !writes.opened.isEmpty else { return }
    var keys = PaymentRows.KeyColumns(capacity: writes.opened.count)
    var operation = TextArray()
    var purpose = TextArray()
    var amount = Int64Array()
    var currency = TextArray()
    var method = TextArray()
    var authorization = TextArray()
    var key = TextArray()
    var target = TextArray()
    var request = ByteaArray()
    var message = TextArray()
    var type = TextArray()
    var command = ByteaArray()
    var versionBefore = Int64Array()
    var actor = TextArray()
    var reason = TextArray()
    var correlation = TextArray()
    var traceparent = TextArray()
    var replyTo = TextArray()
    for record in writes.opened {
      keys.append(record.key)
      operation.append(record.operation.kind.rawValue)
      purpose.append(record.operation.purpose.rawValue)
      amount.append(record.operation.amount.minorUnits)
      currency.append(record.operation.amount.currency.code)
      method.append(record.operation.method?.rawValue)
      authorization.append(record.operation.authorization?.rawValue)
      key.append(record.call.key)
      target.append(record.call.target)
      request.append(record.call.body)
      message.append(record.cause.identity.message.rawValue)
      type.append(record.cause.type.rawValue)
      command.append(record.cause.command)
      versionBefore.append(record.cause.versionBefore)
      actor.append(record.cause.actor)
      reason.append(record.cause.reason)
      correlation.append(record.cause.correlationID)
      traceparent.append(record.cause.traceparent)
      replyTo.append(record.cause.replyTo)
    }
    pipeline.append(
      PaymentStatements.insert,
      Parameters(
        keys.values + [
          .array(operation), .array(purpose), .array(amount), .array(currency), .array(method), .array(authorization), .array(key), .array(target),
          .array(request), .array(message), .array(type), .array(command), .array(versionBefore), .array(actor), .array(reason), .array(correlation),
          .array(traceparent), .array(replyTo), .timestamp(now.microseconds),
        ]))
  }

  private func addSettled(to pipeline: inout Pipeline) {
    guard !writes.settled.isEmpty else { return }
    var keys = PaymentRows.KeyColumns(capacity: writes.settled.count)
    var state = TextArray()
    var authorization = TextArray()
    var code = TextArray()
    var watchedAfter = Int64Array()
    for settlement in writes.settled {
      keys.append(settlement.key)
      state.append(settlement.state.rawValue)
      authorization.append(settlement.authorization?.rawValue)
      code.append(settlement.declineCode)
      watchedAfter.append(settlement.watchedAfter?.microseconds)
    }
    pipeline.append(PaymentStatements.settle, Parameters(keys.values + [.array(state), .array(authorization), .array(code), .array(watchedAfter)]))
  }

  private func addPostponed(to pipeline: inout Pipeline) {
    guard !writes.postponed.isEmpty else { return }
    var keys = PaymentRows.KeyColumns(capacity: writes.postponed.count)
    var unknown = BoolArray()
    var delay = Int64Array()
    var waits = BoolArray()
    for postponement in writes.postponed {
      keys.append(postponement.key)
      unknown.append(postponement.isUnknown)
      delay.append(postponement.delay.microseconds)
      waits.append(postponement.waitsForLease)
    }
    pipeline.append(PaymentStatements.postpone, Parameters(keys.values + [.array(unknown), .array(delay), .array(waits)]))
  }

  private func addSettledClaims(to pipeline: inout Pipeline) {
    guard !writes.settledClaims.isEmpty else { return }
    var tenant = TextArray()
    var message = TextArray()
    var order = UUIDArray()
    var outcome = TextArray()
    var status = TextArray()
    var version = Int64Array()
    var rejection = TextArray()
    for settlement in writes.settledClaims.sorted(by: { $0.identity < $1.identity }) {
      tenant.append(settlement.identity.tenant.rawValue)
      message.append(settlement.identity.message.rawValue)
      order.append(settlement.result.order)
      outcome.append(settlement.result.outcome)
      status.append(settlement.result.status?.rawValue)
      version.append(settlement.result.version)
      rejection.append(settlement.result.rejection.map(StoredRejection.encode))
    }
    pipeline.append(
      PaymentStatements.settleClaims,
      Parameters([.array(tenant), .array(message), .array(order), .array(outcome), .array(status), .array(version), .array(rejection)]))
  }
}

extension CommandResult {
  /// As `processed_commands.outcome` has it.
  var outcome: String { rejection == nil ? "accepted" : "rejected" }
}
