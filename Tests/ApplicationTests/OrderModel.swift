import Application
import Domain
import TestSupport

/// One order with its stock and a payment provider, taken through the batch's decider and the store in memory. A value: each step can be taken from the same state
/// in every direction.
struct OrderModel {
  enum Step: CaseIterable {
    case create, createConfirmed
    case confirm, process, hold, resume, ship, shipWithAnotherMethod, deliver, cancel
    /// What the provider does with the open operation, and what is heard of it.
    case paid, declined, answerLost, noEffect, unknownForLong, givenUp
    case runOut
  }

  static let quantity: Int64 = 3
  static let onHand: Int64 = 5
  private static let amount: Int64 = 300
  private static let product = ProductKey(tenant: .standard, product: ProductID("p")!)
  static let key = OrderKey(tenant: .standard, order: OrderID(high: 1, low: 1))
  private static let codec = PlainCodec()
  private static let terms = OrderTerms(
    payments: PaymentTerms(encoder: codec, hasProvider: true, timeout: .seconds(10), giveUp: .seconds(60)), reservationTTL: .seconds(900))

  private(set) var tables = InMemoryOrderStore.Tables()
  /// The provider's books, by the key of a call: what it did.
  private var effects: [String: (target: String, isDecline: Bool)] = [:]
  private var commands = 0

  init() { tables.stock[Self.product] = StockLevel(onHand: Self.onHand, reserved: 0) }

  var order: Order? { tables.orders[Self.key] }
  var open: PaymentRecord? { tables.records.values.first { $0.state == .open } }

  /// False where the step is not one that could happen now.
  mutating func take(_ step: Step) -> Bool {
    switch step {
    case .create: send("pay p \(Self.quantity)", isCreate: true)
    case .createConfirmed: send("pay confirm p \(Self.quantity)", isCreate: true)
    case .confirm: send("confirmed")
    case .process: send("processing")
    case .hold: send("on_hold")
    case .resume: send(order?.heldFrom?.rawValue ?? "confirmed")
    case .ship: send("shipped")
    case .shipWithAnotherMethod: send("shipped another")
    case .deliver: send("delivered")
    case .cancel: send("cancelled")
    case .runOut:
      tables.now = tables.now + .seconds(1_000)
      decide(own: .expire(Self.key))
    default: return answer(step)
    }
    return true
  }

  private mutating func answer(_ step: Step) -> Bool {
    guard let record = open else { return false }
    let known = effects[record.call.key]
    switch step {
    case .paid, .answerLost:
      if known?.isDecline == true { return false }
      effects[record.call.key] = (record.call.target, false)
    case .declined:
      if record.operation.kind == .void || known?.isDecline == false { return false }
      effects[record.call.key] = (record.call.target, true)
    case .noEffect, .givenUp: if known != nil { return false }
    default: break
    }
    if step == .unknownForLong { tables.now = tables.now + .seconds(11) }
    if step == .givenUp { tables.now = tables.now + .seconds(61) }
    tables.due[record.key] = nil
    let leased = tables.lease(record, until: tables.now + .seconds(15))
    let answer: PaymentAnswer =
      switch step {
      case .paid: .known(.succeeded(AuthorizationID(record.operation.authorization?.rawValue ?? "auth-\(record.key.number)")!))
      case .declined: .known(.declined(code: "card_declined"))
      case .noEffect, .givenUp: .noEffect(reason: "down", retryAfter: nil)
      default: .unknown(reason: "cut")
      }
    decide(own: .paymentAnswered(PaymentReport(key: leased.key, lease: leased.lease, answer: answer)))
    return true
  }

  private mutating func send(_ body: String, isCreate: Bool = false) {
    commands += 1
    let message = Message(
      exchange: "orders.commands", routingKey: "c", messageID: "m\(commands)", replyTo: "reply.model", body: Array("\(Self.key.order) \(body)".utf8))
    guard case .command(let envelope) = Self.codec.decode(ReceivedMessage(tag: DeliveryTag(generation: 1, number: 1), redelivered: false, message: message))
    else { preconditionFailure("the model's command is unreadable: \(body)") }
    decide(BatchDecider(commands: [envelope], encoder: Self.codec, terms: Self.terms))
  }

  private mutating func decide(own: OwnCommand) { decide(BatchDecider(commands: [], own: [own], encoder: Self.codec, terms: Self.terms)) }

  private mutating func decide(_ decider: BatchDecider) {
    let (writes, outcome) = decider.decide(tables.facts(for: decider.keys))
    tables.apply(writes, sent: outcome.replies.map(\.key))
    for event in writes.events where event.key.version > 0 { versions.append(event.key.version) }
  }

  /// Of every event, in the order in which they were made.
  private(set) var versions: [Int64] = []

  // MARK: what must hold

  /// Sentences about what does not add up.
  var faults: [String] {
    var faults: [String] = []
    let level = tables.stock[Self.product]!
    let isSold = order?.reservation == .fulfilled
    let isReserved = order?.reservation == .held || order?.reservation == .allocated
    if level.onHand != (isSold ? Self.onHand - Self.quantity : Self.onHand) { faults.append("on hand \(level.onHand)") }
    if level.reserved != (isReserved ? Self.quantity : 0) { faults.append("reserved \(level.reserved)") }
    if versions != Array(1...max(order?.version ?? 0, 1)).prefix(versions.count).map({ Int64($0) }) || versions.count != Int(order?.version ?? 0) {
      faults.append("versions \(versions)")
    }
    if tables.records.values.filter({ $0.state == .open }).count > 1 { faults.append("two open operations") }
    if open == nil { faults += moneyFaults }
    return faults
  }

  /// While nothing is open the books and the order tell the same.
  private var moneyFaults: [String] {
    let done = effects.values.filter { !$0.isDecline }.map(\.target)
    let authorised = done.filter { $0 == "authorize" }.count
    let captured = done.filter { $0 == "capture" }.count
    let held = authorised - captured - done.filter { $0 == "void" }.count
    let expected: (held: ClosedRange<Int>, captured: Int) =
      switch order?.paymentStatus {
      case .authorized: (1...1, 0)
      case .captured: (0...0, 1)
      // A capture was declined, or nothing was ever held.
      case .failed: (0...(order?.status == .processing || order?.status == .onHold ? 1 : 0), 0)
      default: (0...0, 0)
      }
    var faults: [String] = []
    if !expected.held.contains(held) { faults.append("\(held) held while \(order?.paymentStatus.rawValue ?? "no order")") }
    if captured != expected.captured { faults.append("\(captured) captured while \(order?.paymentStatus.rawValue ?? "no order")") }
    if held != (tables.payments[Self.key]?.authorization == nil ? 0 : 1) { faults.append("held and known to be held differ") }
    if tables.claims.values.contains(where: { $0.result == nil }) { faults.append("a command without an answer") }
    return faults
  }

  /// Everything about it that the next step could depend on.
  var state: String {
    let order = order.map { "\($0.status) \($0.heldFrom.map(\.rawValue) ?? "") \($0.paymentStatus) \($0.reservation)" } ?? "none"
    let facts = tables.payments[Self.key].map { "\($0.authorization?.id.rawValue ?? "-") \($0.surplus.count)" } ?? ""
    let record = open.map { record in
      "\(record.operation.kind) \(record.operation.purpose) unknown:\(record.isUnknown) told:\(effects[record.call.key].map { "\($0.isDecline)" } ?? "-")"
    }
    return "\(order) | \(facts) | \(record ?? "") | \(tables.stock[Self.product]!)"
  }
}
