import Domain
import Testing

/// What a test knows of an order's payments before a command.
enum PaymentScene: String, CaseIterable, Sendable {
  case free, unpaid, unpaidWithoutMethod, live, failedLive, failedGone, open

  var price: Int64 { self == .free ? 0 : 500 }
  var method: PaymentMethod? { self == .unpaidWithoutMethod ? nil : Sample.method }

  var status: PaymentStatus {
    switch self {
    case .free, .unpaid, .unpaidWithoutMethod, .open: .none
    case .live: .authorized
    case .failedLive, .failedGone: .failed
    }
  }

  var facts: PaymentFacts {
    switch self {
    case .free: .none
    case .unpaid, .unpaidWithoutMethod: .none
    case .live, .failedLive: PaymentFacts(authorization: Sample.authorization(), count: 4)
    case .failedGone: PaymentFacts(count: 4)
    case .open:
      PaymentFacts(
        open: PaymentOperation(
          number: 4, kind: .authorize, purpose: .confirm, amount: Money(minorUnits: 1_000, currency: Sample.usd), method: Sample.method),
        count: 4)
    }
  }
}

/// Every status × every status × every scene of payments × with and without a payment method, against what the contract's tables say, written down anew.
@Suite struct TransitionTests {
  /// Section 3's first table. `on_hold` is written out by where it came from.
  static let ways: [String: Set<String>] = [
    "pending": ["confirmed", "cancelled"],
    "confirmed": ["processing", "on_hold", "cancelled"],
    "on_hold from confirmed": ["confirmed", "cancelled"],
    "on_hold from processing": ["processing", "cancelled"],
    "processing": ["shipped", "on_hold", "cancelled"],
    "shipped": ["delivered"],
    "delivered": [], "cancelled": [], "expired": [], "rejected": [],
  ]

  static let pieces = (freed: " product-1:0/-2 product-2:0/-3", gone: " product-1:-2/-2 product-2:-3/-3")

  struct Start: Sendable, CustomTestStringConvertible {
    let status: OrderStatus
    let heldFrom: OrderStatus?
    var name: String { heldFrom.map { "\(status.rawValue) from \($0.rawValue)" } ?? status.rawValue }
    var testDescription: String { name }
  }

  static let starts: [Start] =
    OrderStatus.allCases.filter { $0 != .onHold }.map { Start(status: $0, heldFrom: nil) }
    + [Start(status: .onHold, heldFrom: .confirmed), Start(status: .onHold, heldFrom: .processing)]

  /// What must come of it, in the words of `Decision.lines`.
  static func expected(_ start: Start, _ target: OrderStatus, _ scene: PaymentScene, newMethod: Bool) -> [String] {
    if scene == .open { return ["waits"] }
    guard ways[start.name]!.contains(target.rawValue) else { return ["rejected illegal_transition"] }
    let paid = scene.status.rawValue
    let from = start.status.rawValue
    switch target.rawValue {
    case "processing" where from == "on_hold": return ["v8 on_hold>processing \(paid) allocated order.resumed", "accepted"]
    case "confirmed" where from == "on_hold": return ["v8 on_hold>confirmed \(paid) allocated order.resumed", "accepted"]
    case "processing": return ["v8 confirmed>processing \(paid) allocated order.processing", "accepted"]
    case "on_hold": return ["v8 \(from)>on_hold \(paid) allocated order.on_hold", "accepted"]
    case "delivered": return ["v8 shipped>delivered \(paid) fulfilled order.delivered", "accepted"]
    case "cancelled":
      let change = "v8 \(from)>cancelled \(paid) released order.cancelled\(pieces.freed)"
      return [.live, .failedLive].contains(scene) ? [change, "ask void auth-1 1000 cancel", "accepted"] : [change, "accepted"]
    case "confirmed":
      switch (scene, newMethod) {
      case (.free, _): return ["v8 pending>confirmed none allocated order.confirmed", "accepted"]
      case (.live, _), (.failedLive, _): return ["v8 pending>confirmed authorized allocated order.confirmed", "accepted"]
      case (.unpaidWithoutMethod, false): return ["rejected payment_method_required"]
      case (_, true): return ["ask authorize pm_new 1000 confirm"]
      case (_, false): return ["ask authorize pm_create 1000 confirm"]
      }
    case "shipped":
      switch (scene, newMethod) {
      case (.free, _): return ["v8 processing>shipped none fulfilled order.shipped\(pieces.gone)", "accepted"]
      case (.live, _), (.failedLive, false): return ["ask capture auth-1 1000 ship"]
      case (.failedLive, true): return ["ask void auth-1 pm_new 1000 ship_anew"]
      case (.failedGone, true): return ["ask authorize pm_new 1000 ship_anew"]
      case (.failedGone, false), (.unpaid, _), (.unpaidWithoutMethod, _): return ["rejected payment_method_required"]
      case (.open, _): return []
      }
    default: return ["not in the tables"]
    }
  }

  @Test(arguments: starts, OrderStatus.allCases)
  func everyStatusIsReachedAsTheContractSays(start: Start, target: OrderStatus) {
    for scene in PaymentScene.allCases {
      for newMethod in [false, true] {
        let order = Sample.order(start.status, heldFrom: start.heldFrom, payment: scene.status, price: scene.price, method: scene.method)
        let update = UpdateStatus(order: Sample.id, status: target, paymentMethod: newMethod ? PaymentMethod("pm_new") : nil)
        let verdict = Order.decide(update, by: Sample.service, on: order, payments: scene.facts, at: Sample.later)
        let lines = verdict.decision?.lines ?? (verdict == .paymentOpen ? ["waits"] : ["early"])
        #expect(lines == Self.expected(start, target, scene, newMethod: newMethod), "\(scene), new method: \(newMethod)")
        if let decision = verdict.decision { checkFacts(decision, scene) }
        for change in verdict.decision?.changes ?? [] { checkRest(of: change, order) }
      }
    }
  }

  private func checkFacts(_ decision: Decision, _ scene: PaymentScene) {
    #expect(decision.payments.open == decision.operation)
    #expect(decision.payments.count == scene.facts.count + (decision.operation == nil ? 0 : 1))
    #expect(decision.operation.map { $0.number == decision.payments.count } != false)
    #expect(decision.payments.authorization == scene.facts.authorization)
  }

  private func checkRest(of change: Change, _ order: Order) {
    let next = change.order
    #expect(next.updatedAt == Sample.later)
    #expect(next.heldFrom == (next.status == .onHold ? order.status : nil))
    #expect(
      next.key == order.key && next.lines == order.lines && next.total == order.total && next.customer == order.customer
        && next.metadata == order.metadata && next.paymentMethod == order.paymentMethod && next.createdAt == order.createdAt)
  }

  @Test func finalStatusesAreThoseFour() {
    #expect(OrderStatus.allCases.filter(\.isFinal) == [.delivered, .cancelled, .rejected, .expired])
  }

  @Test func theTableHasEachWayOnceAndNoOther() {
    var expected: Set<String> = ["->pending", "->rejected", "pending->expired"]
    for (from, targets) in Self.ways {
      for target in targets { expected.insert("\(from.split(separator: " ")[0])->\(target)") }
    }
    let rows = TransitionTable.rows.map { "\($0.from?.rawValue ?? "")->\($0.to.rawValue)" }
    #expect(rows.count == Set(rows).count)
    #expect(Set(rows) == expected)
  }

  @Test func aCustomerOnlyCancelsAndOnlyWhilePending() {
    for start in Self.starts {
      for target in OrderStatus.allCases {
        let order = Sample.order(start.status, heldFrom: start.heldFrom)
        let update = UpdateStatus(order: Sample.id, status: target)
        let lines = Order.decide(update, by: Sample.buyer, on: order, payments: .none, at: Sample.later).decision?.lines
        let may = start.status == .pending && target == .cancelled
        #expect(lines?.last == (may ? "accepted" : "rejected illegal_transition"), "\(start.name) to \(target)")
      }
    }
  }

  @Test func anothersOrderIsAsIfItWereNotThere() {
    let order = Sample.order(.pending)
    let update = UpdateStatus(order: Sample.id, status: .cancelled, expectedVersion: 1)
    let absent = Order.decide(update, by: Sample.service, on: nil, payments: .none, at: Sample.later)
    #expect(absent == .early(orElse: .notFound(Sample.id)))
    let strangers = [
      Principal(subject: "customer-2", roles: [.customer], tenant: Sample.tenant),
      Principal(subject: "customer-1", roles: [.customer], tenant: TenantID("elsewhere")!),
      Principal(subject: "shop", roles: [.service, .operator], tenant: TenantID("elsewhere")!),
    ]
    for stranger in strangers {
      for scene in PaymentScene.allCases {
        #expect(Order.decide(update, by: stranger, on: order, payments: scene.facts, at: Sample.later) == absent, "\(stranger)")
      }
    }
  }

  @Test(arguments: OrderStatus.allCases)
  func theExpectedVersionIsLookedAtBeforeTheStatus(status: OrderStatus) throws {
    let order = Sample.order(status, heldFrom: status == .onHold ? .confirmed : nil, version: 7)
    func verdict(_ expected: Int64?, _ facts: PaymentFacts = .none) -> Verdict {
      Order.decide(
        UpdateStatus(order: Sample.id, status: .cancelled, expectedVersion: expected), by: Sample.service, on: order, payments: facts, at: Sample.later)
    }
    for below: Int64 in [.min, -1, 0, 1, 6] { #expect(verdict(below).decision?.lines == ["rejected version_conflict"]) }
    for above: Int64 in [8, 9, .max] {
      guard case .early(let rejection) = verdict(above) else {
        Issue.record("version \(above) is not early")
        continue
      }
      #expect(rejection.code == .versionConflict)
      #expect(rejection.message.contains("version 7") && rejection.message.contains("version \(above)"))
    }
    #expect(verdict(7) == verdict(nil))
    #expect(verdict(6, PaymentScene.open.facts) == .paymentOpen)
  }

  /// A void may be refused for ever, and nobody waits for it.
  @Test func aVoidThatIsOpenKeepsNobodyWaitingOnceTheOrderIsAtItsEnd() {
    let facts = PaymentFacts(
      open: PaymentOperation(
        number: 4, kind: .void, purpose: .cancel, amount: Money(minorUnits: 1_000, currency: Sample.usd), authorization: Sample.authorization().id), count: 4)
    func verdict(_ status: OrderStatus) -> Verdict {
      let order = Sample.order(status, heldFrom: nil, payment: .authorized, price: 500, method: Sample.method)
      return Order.decide(UpdateStatus(order: Sample.id, status: .confirmed), by: Sample.service, on: order, payments: facts, at: Sample.later)
    }
    #expect(verdict(.cancelled).decision?.lines == ["rejected illegal_transition"])
    #expect(verdict(.cancelled).decision?.payments == facts)
    #expect(verdict(.pending) == .paymentOpen)
  }

  private static let sentences: [(OrderStatus, OrderStatus, String)] = [
    (.shipped, .shipped, "The order is shipped already."),
    (.confirmed, .pending, "No command sets the status pending."),
    (.confirmed, .rejected, "No command sets the status rejected."),
    (.pending, .expired, "No command sets the status expired."),
    (.cancelled, .confirmed, "The order is cancelled, which is final: it cannot become confirmed."),
    (.onHold, .processing, "An order that is on_hold cannot become processing; from here it may become: confirmed, cancelled."),
    (.shipped, .cancelled, "An order that is shipped cannot become cancelled; from here it may become: delivered."),
  ]

  @Test(arguments: sentences)
  func anIllegalTransitionSaysWhatIsWrong(from: OrderStatus, to: OrderStatus, sentence: String) {
    let order = Sample.order(from, heldFrom: from == .onHold ? .confirmed : nil)
    let verdict = Order.decide(UpdateStatus(order: Sample.id, status: to), by: Sample.service, on: order, payments: .none, at: Sample.later)
    #expect(verdict.decision?.answer == .rejected(Rejection(.illegalTransition, sentence)))
  }

  @Test func onlyAPendingOrderExpiresAndOnlyInTime() {
    let lifetime = Duration.seconds(900)
    for start in Self.starts {
      for scene in PaymentScene.allCases {
        let order = Sample.order(start.status, heldFrom: start.heldFrom, payment: scene.status, price: scene.price)
        let early = order.expire(at: Sample.start + .milliseconds(899_999), lifetime: lifetime, payments: scene.facts)
        let due = order.expire(at: Sample.start + lifetime, lifetime: lifetime, payments: scene.facts)
        #expect(early == nil)
        let line = "v8 pending>expired \(scene.status.rawValue) expired order.expired\(Self.pieces.freed)"
        #expect(due?.line == (start.status == .pending && scene != .open ? line : nil), "\(start.name), \(scene)")
      }
    }
  }

  @Test func aClockThatWentBackDoesNotTurnAnOrderBack() {
    let order = Sample.order(.confirmed)
    let verdict = Order.decide(
      UpdateStatus(order: Sample.id, status: .processing), by: Sample.service, on: order, payments: .none, at: Sample.start + .seconds(-5))
    #expect(verdict.decision?.changes.first?.order.updatedAt == Sample.start)
  }
}
