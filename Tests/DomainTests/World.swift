import Domain
import TestSupport
import Testing

/// Orders, stock and a payment provider that does what it likes, driven at random; every change is checked as it is made.
struct World {
  private enum Held { case held, captured, voided }

  private struct Entry {
    var order: Order?
    var payments = PaymentFacts.none
    var holds: [AuthorizationID: Held] = [:]
    /// Authorisations that were given up, whose effect may still come home.
    var givenUp: [PaymentOperation] = []
    /// Whether a command was left without an answer.
    var awaits = false
  }

  private var entries: [Entry]
  private var stock: [ProductID: Stock] = [:]
  private var now = Sample.start
  private var names = 0
  private var random: SeededGenerator
  private static let products = (1...4).map { ProductID("p\($0)")! }
  private static let lifetime = Duration.seconds(100)
  private static let counted: Int64 = 12
  /// How often each event happened: a world in which nothing happens proves nothing.
  private(set) var events: [EventType: Int] = [:]
  /// How often an operation was opened for each purpose.
  private(set) var purposes: [PaymentPurpose: Int] = [:]

  init(orders: Int, random: SeededGenerator) throws {
    self.random = random
    entries = Array(repeating: Entry(), count: orders)
    for product in Self.products { stock[product] = try Stock(onHand: Self.counted) }
  }

  mutating func step() throws {
    now = now + .milliseconds(Int.random(in: 0...2_000, using: &random))
    let index = entries.indices.randomElement(using: &random)!
    switch Int.random(in: 0..<10, using: &random) {
    case 0: try create(index)
    case 1...5: try update(index)
    case 6...8: try answer(index, kindly: false)
    default:
      if Int.random(in: 0..<4, using: &random) == 0 { try expire(index) } else { try bringHome(index) }
    }
    try check(index)
  }

  /// Lets the provider do everything that is still asked of it, and looks for money left behind.
  mutating func settleEverything() throws {
    for index in entries.indices {
      while entries[index].payments.open != nil { try answer(index, kindly: true) }
      try check(index)
      let entry = entries[index]
      #expect(!entry.awaits, "a command was never answered")
      let held = Set(entry.holds.filter { $0.value == .held }.keys)
      #expect(held == Set(entry.payments.authorization.map { [$0.id] } ?? []), "money is held that nobody knows of, or known that is not held")
      if let status = entry.order?.status, ![.confirmed, .processing, .onHold].contains(status) { #expect(held.isEmpty) }
      if entry.order?.status == .cancelled, !entry.holds.isEmpty { #expect(entry.payments.authorization == nil) }
    }
  }

  private mutating func create(_ index: Int) throws {
    let lines = Self.products.shuffled(using: &random).prefix(Int.random(in: 1...3, using: &random)).map {
      OrderLine(
        product: $0, quantity: Quantity(Int64.random(in: 1...6, using: &random))!,
        unitPrice: Money(minorUnits: Int.random(in: 0..<5, using: &random) == 0 ? 0 : 250, currency: Sample.usd))!
    }
    let command = Sample.create(
      method: Bool.random(using: &random) ? Sample.method : nil, confirm: Bool.random(using: &random), lines: lines,
      order: OrderID(high: 0, low: UInt64(index)))
    let levels = stock
    let decision = Order.decide(
      command, existing: entries[index].order, tenant: Sample.tenant, at: now, available: { levels[$0]?.available ?? 0 })
    // Of an order that is there the command leaves no facts to go on with.
    if entries[index].order != nil {
      #expect(decision.lines == ["rejected already_exists"])
    } else {
      try take(decision, index, command: true)
    }
  }

  private mutating func update(_ index: Int) throws {
    let entry = entries[index]
    // Mostly where the order can go, and seldom to its end, so that it gets somewhere.
    let possible = OrderStatus.allCases.filter { entry.order?.transition(to: $0, cause: .update) != nil }
    let lively = possible.filter { $0 != .cancelled || Int.random(in: 0..<8, using: &random) == 0 }
    let another = entry.order?.status == .processing && entry.order?.paymentStatus == .failed && Bool.random(using: &random)
    let status = another ? .shipped : Int.random(in: 0..<4, using: &random) > 0 ? lively.randomElement(using: &random) : nil
    let update = UpdateStatus(
      order: OrderID(high: 0, low: UInt64(index)), status: status ?? OrderStatus.allCases.filter({ $0 != .cancelled }).randomElement(using: &random)!,
      expectedVersion: Int.random(in: 0..<5, using: &random) > 0 ? nil : Int64.random(in: 1...6, using: &random),
      paymentMethod: another || Bool.random(using: &random) ? PaymentMethod("pm_2") : nil)
    let actor = Int.random(in: 0..<6, using: &random) > 0 ? Sample.service : Sample.buyer
    switch Order.decide(update, by: actor, on: entry.order, payments: entry.payments, at: now) {
    case .decided(let decision): try take(decision, index, command: true)
    case .paymentOpen: #expect(entry.payments.open != nil)
    case .early: #expect(entry.order.map { $0.version < update.expectedVersion ?? 0 } != false)
    }
  }

  private mutating func answer(_ index: Int, kindly: Bool) throws {
    guard let operation = entries[index].payments.open, let order = entries[index].order else { return }
    let result: PaymentResult
    switch kindly ? 9 : Int.random(in: 0..<10, using: &random) {
    case 0...1: result = .unavailable
    case 2...3 where operation.kind != .void: result = .declined(code: "no")
    case 4...5:
      if let change = order.paymentStillUnknown(operation, payments: entries[index].payments, at: now) { try apply(change, index) }
      return
    default: result = carryOut(operation, index)
    }
    if result == .unavailable, operation.kind == .authorize { entries[index].givenUp.append(operation) }
    try take(order.settle(operation, with: result, payments: entries[index].payments, at: now), index, command: false, of: operation)
  }

  /// What the provider does with a call: an authorisation that is not held cannot be captured or voided.
  private mutating func carryOut(_ operation: PaymentOperation, _ index: Int) -> PaymentResult {
    guard let id = operation.authorization else {
      names += 1
      let id = AuthorizationID("auth-\(names)")!
      entries[index].holds[id] = .held
      return .succeeded(id)
    }
    guard entries[index].holds[id] == .held else { return .conflict }
    entries[index].holds[id] = operation.kind == .capture ? .captured : .voided
    return .succeeded(id)
  }

  private mutating func bringHome(_ index: Int) throws {
    guard let order = entries[index].order, let operation = entries[index].givenUp.popLast(), case .succeeded(let id) = carryOut(operation, index) else {
      return
    }
    try take(order.bringHome(operation, id, payments: entries[index].payments), index, command: false)
  }

  private mutating func expire(_ index: Int) throws {
    let entry = entries[index]
    guard let order = entry.order else { return }
    let change = order.expire(at: now, lifetime: Self.lifetime, payments: entry.payments)
    #expect((change != nil) == (order.status == .pending && now >= order.createdAt + Self.lifetime && entry.payments.open == nil))
    if let change { try apply(change, index) }
  }

  private mutating func take(_ decision: Decision, _ index: Int, command: Bool, of operation: PaymentOperation? = nil) throws {
    for change in decision.changes { try apply(change, index) }
    if command {
      #expect(decision.answer != nil || decision.operation?.isAwaited == true)
      entries[index].awaits = decision.answer == nil
    } else if let operation, operation.isAwaited {
      #expect(entries[index].awaits && (decision.answer != nil) == (decision.operation?.isAwaited != true))
      entries[index].awaits = decision.answer == nil
    } else {
      #expect(decision.answer == nil)
    }
    #expect(decision.payments.open == decision.operation || decision.operation == nil)
    if let operation = decision.operation { purposes[operation.purpose, default: 0] += 1 }
    entries[index].payments = decision.payments
  }

  private mutating func apply(_ change: Change, _ index: Int) throws {
    let before = entries[index].order
    #expect(change.order.version == (before?.version ?? 0) + 1)
    #expect(change.previousStatus == before?.status)
    if let before, before.status != change.order.status {
      let name = before.heldFrom.map { "on_hold from \($0.rawValue)" } ?? before.status.rawValue
      let mayExpire = before.status == .pending && change.order.status == .expired
      #expect(TransitionTests.ways[name]?.contains(change.order.status.rawValue) == true || mayExpire, "\(change.line)")
    }
    for movement in change.stock { stock[movement.product] = try stock[movement.product]?.applying(movement) }
    events[change.event, default: 0] += 1
    entries[index].order = change.order
  }

  private func check(_ index: Int) throws {
    let entry = entries[index]
    for product in Self.products {
      func pieces(in statuses: Set<OrderStatus>) -> Int64 {
        entries.compactMap(\.order).filter { statuses.contains($0.status) }.flatMap(\.lines).filter { $0.product == product }
          .reduce(0) { $0 + $1.quantity.value }
      }
      let level = try #require(stock[product])
      #expect(level.reserved == pieces(in: [.pending, .confirmed, .processing, .onHold]))
      #expect(level.onHand == Self.counted - pieces(in: [.shipped, .delivered]))
    }
    guard let order = entry.order else { return }
    let captured = entry.holds.values.filter { $0 == .captured }.count
    let isShipped = order.status == .shipped || order.status == .delivered
    #expect(captured == (isShipped && !order.total.isZero ? 1 : 0), "charged \(captured) times")
    #expect(isShipped && captured == 1 ? order.paymentStatus == .captured : order.paymentStatus != .captured)
    #expect(order.reservation == Sample.reservation(in: order.status))
    if order.paymentStatus == .pending { #expect(entry.payments.open?.isAwaited == true) }
    if [.confirmed, .processing, .onHold].contains(order.status), !order.total.isZero { #expect(order.paymentStatus != .none) }
    if order.total.isZero { #expect(order.paymentStatus == .none && entry.payments == .none) }
  }
}
