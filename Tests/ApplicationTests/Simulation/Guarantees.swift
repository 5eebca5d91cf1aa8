import Application
import Domain
import TestSupport

/// What must hold when everything has come to rest.
struct Guarantees {
  let world: SimulatedWorld
  private var tables: InMemoryOrderStore.Tables { world.database.tables }
  private var broker: SimulatedBroker { world.broker }

  var leftovers: String {
    let open = tables.records.values.filter { $0.state == .open }.map(\.call.key).sorted()
    let pending = tables.orders.values.filter { $0.status == .pending }.count
    return "outbox \(tables.outbox.keys.map(\.version)), replies \(tables.replies.count), open payments \(open), pending \(pending), "
      + "broker at rest: \(broker.isAtRest), provider at rest: \(world.provider.isAtRest)"
  }

  func check() {
    checkCommands()
    checkOrders()
    checkStock()
    checkMoney()
    checkEvents()
    checkLetters()
    tellEnds()
  }

  /// How orders and commands ended, so that it can be seen that all of it came about.
  private func tellEnds() {
    for order in tables.orders.values {
      world.saw("order \(order.status.rawValue)")
      world.saw("payment \(order.paymentStatus.rawValue)")
    }
    for claim in tables.claims.values { world.saw(claim.result?.rejection.map { "rejected \($0.code.rawValue)" } ?? "accepted") }
    for letter in broker.deadLetters { world.saw("dead-lettered \(letter.header("x-reason")?.text ?? "?")") }
    for type in broker.events.values.map(\.type.rawValue) { world.saw("event \(type)") }
  }

  /// Each is done once or dead-lettered for a reason; none is lost, and each is answered.
  private func checkCommands() {
    let refused = world.plan.faults.filter(\.refusesWork).count
    var byID: [String: [Message]] = [:]
    for sending in world.plan.commands { byID[sending.message.messageID!, default: []].append(sending.message) }
    for (id, messages) in byID {
      let claim = tables.claims[CommandIdentity(tenant: .standard, message: MessageID(id)!)]
      let dead = broker.deadLetters.filter { $0.messageID == id }.map { $0.header("x-reason")?.text ?? "?" }
      let poison = world.plan.faults.reduce(0) { sum, fault in
        if case .poison(let command, let times) = fault, SimulationPlan.index(of: id) == command { sum + times } else { sum }
      }
      if claim == nil && dead.isEmpty { world.violated("\(id) was lost") }
      if let claim, claim.result == nil { world.violated("\(id) was never concluded") }
      for reason in dead {
        switch reason {
        case "malformed" where messages.contains(where: SimulationPlan.isUnreadable): break
        case "id_conflict" where messages.count > 1: break
        // As often as it is tried: at first, in place, and from each rung.
        case "retries_exhausted" where poison + refused >= 4 + SimulatedWorker.rungs.count: break
        default: world.violated("\(id) was dead-lettered as \(reason)")
        }
      }
      if poison + refused == 0, broker.attempts[id] ?? 0 > 0 { world.violated("\(id) was counted as failed though nothing refused it") }
      if claim != nil && poison > 100 { world.violated("\(id) was done though the store refuses it") }
      let effects = tables.audit.filter { $0.message.rawValue == id && $0.action.hasPrefix("order.") }.count
      if effects != (claim == nil ? 0 : 1) { world.violated("\(id) took effect \(effects) times") }
      checkReplies(id, claim)
    }
  }

  /// Every dead letter is kept, and settled exactly where its command was done after all.
  private func checkLetters() {
    let letters = world.letters.all
    let keys = Set(broker.deadLetters.map(SimulatedLetterCodec.key))
    if keys != Set(letters.map(\.key)) { world.violated("\(keys.count) dead letters, and \(letters.count) are kept") }
    for letter in letters {
      let isDone = world.letters.isDone(letter)
      if letter.state != (isDone ? .resolved : .parked) {
        world.violated("\(letter.messageID ?? "?") was\(isDone ? "" : " not") done and is \(letter.state.rawValue)")
      }
      world.saw("letter \(letter.state.rawValue)")
    }
  }

  private func checkReplies(_ id: String, _ claim: Claim?) {
    let replies = broker.replies[id] ?? []
    if replies.isEmpty { world.violated("\(id) was never answered") }
    let word = claim?.result.map { $0.rejection.map { "rejected:\($0.code.rawValue)" } ?? "accepted" }
    let repeated = claim?.result.map { "duplicate:\($0.rejection == nil ? "accepted" : "rejected")" }
    for reply in replies where reply != word && reply != repeated && !reply.hasPrefix("dead_lettered") {
      world.violated("\(id) is \(word ?? "not done") and was answered \(reply)")
    }
  }

  /// An order's versions are whole, and the last one is what it is.
  private func checkOrders() {
    for (key, order) in tables.orders {
      let history = tables.history.filter { $0.order == key }
      if history.map(\.version) != Array(1...order.version) { world.violated("versions \(history.map(\.version)) of an order at \(order.version)") }
      if history.last?.status != order.status || history.last?.paymentStatus != order.paymentStatus { world.violated("history and order differ") }
      if order.reservation != tables.reservations[key] ?? .none { world.violated("reservation and order differ") }
      if order.status == .pending { world.violated("an order stays pending") }
    }
    if tables.records.values.contains(where: { $0.state == .open }) { world.violated("a payment stays open") }
  }

  private func checkStock() {
    for (name, count) in world.plan.stock {
      let product = SimulatedDatabase.product(name)
      var expected = StockLevel(onHand: count, reserved: 0)
      for order in tables.orders.values {
        let quantity = order.lines.filter { $0.product == product.product }.reduce(0) { $0 + $1.quantity.value }
        switch order.reservation {
        case .fulfilled: expected.onHand -= quantity
        case .held, .allocated: expected.reserved += quantity
        case .none, .released, .expired: break
        }
      }
      if tables.stock[product] != expected { world.violated("stock of \(name) is \(tables.stock[product]!) and should be \(expected)") }
    }
  }

  /// The provider's books and the orders tell the same.
  private func checkMoney() {
    for (key, order) in tables.orders {
      let (held, captured) = (world.provider.held(of: key.order), world.provider.captured(of: key.order))
      let isLive = tables.payments[key]?.authorization != nil
      if held != (isLive ? 1 : 0) { world.violated("\(held) held for an order that knows of \(isLive ? 1 : 0), \(order.paymentStatus.rawValue)") }
      if captured != (order.paymentStatus == .captured ? 1 : 0) { world.violated("\(captured) captured for an order that is \(order.paymentStatus.rawValue)") }
      if order.paymentStatus == .authorized && held != 1 { world.violated("an order is authorised and \(held) are held") }
      if order.status.isFinal && held > 0 { world.violated("money is held for an order that is \(order.status.rawValue)") }
      if [.confirmed, .shipped, .delivered].contains(order.status), ![.authorized, .captured].contains(order.paymentStatus) {
        if order.paymentStatus != .failed { world.violated("\(order.status.rawValue) and \(order.paymentStatus.rawValue)") }
      }
    }
  }

  private func checkEvents() {
    for (key, order) in tables.orders where broker.newest[key] ?? 0 != order.version {
      world.violated("events up to \(broker.newest[key] ?? 0) of an order at \(order.version) were published")
    }
    for (identity, claim) in tables.claims {
      guard let rejection = claim.result?.rejection else { continue }
      let madeVersion = tables.history.contains { $0.message == identity.message }
      let isTold = broker.events[PlainCodec.rejectionID(identity)] != nil
      if isTold == madeVersion && rejection.code != .paymentUnavailable {
        world.violated("\(identity.message.rawValue) was rejected \(rejection.code.rawValue): told \(isTold), made a version \(madeVersion)")
      }
    }
    if !tables.outbox.isEmpty || !tables.replies.isEmpty { world.violated("the outbox is not empty") }
  }
}
