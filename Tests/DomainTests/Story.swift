import Domain
import Testing

/// One order followed through commands and payment results, with everything that came of them in words.
struct Story {
  private(set) var order: Order?
  private(set) var payments = PaymentFacts.none
  private(set) var log: [String] = []
  /// Every operation that was ever opened, in order.
  private(set) var operations: [PaymentOperation] = []

  init(_ order: Order? = nil, _ payments: PaymentFacts = .none) {
    self.order = order
    self.payments = payments
  }

  mutating func create(_ command: CreateOrder, available: Int64 = 100) {
    take(Order.decide(command, existing: order, tenant: Sample.tenant, at: Sample.start, available: { _ in available }))
  }

  mutating func update(_ status: OrderStatus, method: String? = nil) {
    let update = UpdateStatus(order: Sample.id, status: status, paymentMethod: method.flatMap { PaymentMethod($0) })
    switch Order.decide(update, by: Sample.service, on: order, payments: payments, at: Sample.later) {
    case .decided(let decision): take(decision)
    case .early: log.append("early")
    case .paymentOpen: log.append("waits")
    }
  }

  /// The result of the open operation, or of an earlier one by its number.
  mutating func result(_ result: PaymentResult, of number: Int? = nil) throws {
    let operation = try #require(number.map { operations[$0 - 1] } ?? payments.open)
    take(try #require(order).settle(operation, with: result, payments: payments, at: Sample.later))
  }

  mutating func succeeds(_ id: String = "auth-1") throws { try result(.succeeded(AuthorizationID(id)!)) }

  mutating func staysUnknown() throws {
    let operation = try #require(payments.open)
    guard let change = try #require(order).paymentStillUnknown(operation, payments: payments, at: Sample.later) else {
      log.append("nothing told")
      return
    }
    order = change.order
    log.append(change.line)
  }

  mutating func comesHome(_ number: Int, _ id: String) throws {
    take(try #require(order).bringHome(operations[number - 1], AuthorizationID(id)!, payments: payments))
  }

  /// What was said since the last time.
  mutating func told() -> [String] {
    defer { log = [] }
    return log
  }

  private mutating func take(_ decision: Decision) {
    order = decision.changes.last?.order ?? order
    payments = decision.payments
    if let operation = decision.operation { operations.append(operation) }
    log += decision.lines.isEmpty ? ["nothing"] : decision.lines
  }
}
