import Application
import Domain
import Testing

/// What every store must do with calls that may be held on their way for longer than anybody waits.
extension OrderStoreContract {
  private func report(_ leased: LeasedPayment, _ answer: PaymentAnswer, giveUp: Duration = .milliseconds(100)) async throws -> BatchOutcome {
    let impatient = OrderTerms(payments: PaymentTerms(encoder: codec, hasProvider: true, timeout: .zero, giveUp: giveUp))
    let report = PaymentReport(key: leased.key, lease: leased.lease, answer: answer)
    return try await transact(BatchDecider(commands: [], own: [.paymentAnswered(report)], encoder: codec, terms: impatient))
  }

  /// Takes the order's open operation, whose first call is lost on its way, to where the provider says that the key never came.
  private func neverCame() async throws -> BatchOutcome {
    _ = try await report(try await lease(order(1), for: .milliseconds(200)), .unknown(reason: "held"))
    _ = try await report(try await lease(order(1), for: .milliseconds(200)), .noEffect(reason: "busy", retryAfter: nil))
    let looked = try await lease(order(1), for: .milliseconds(200))
    #expect(looked.looksUp && !looked.isGivenUp)
    return try await report(looked, .neverCame)
  }

  package func anAuthorisationThatWasGivenUpIsLookedUpAgainAndVoidedWhenItComesHome() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)], confirm: true)])
    #expect(try await neverCame().events.map(\.event.type) == [.paymentFailed])
    let first = try await lease(order(1), for: .milliseconds(200))
    #expect(first.looksUp && first.isGivenUp && first.call.key.hasSuffix("/1"))
    // An answer to a lease that is over starts nothing anew.
    #expect(try await report(PaymentLeases.other(first), .neverCame).events.isEmpty)
    #expect(try await report(first, .neverCame).events.isEmpty)
    // Held to its end, however slow the machine is: what is leased next must be the other one.
    let second = try await lease(order(1), for: .seconds(30))
    #expect(second.isGivenUp && second.lease != first.lease)
    // Meanwhile another method paid for it.
    _ = try await transact([update("m2", order: 1, to: .confirmed)])
    let another = try await lease(order(1))
    #expect(another.call.key.hasSuffix("/2") && !another.isGivenUp)
    _ = try await answer(another, .known(.succeeded(AuthorizationID("auth-2")!)))
    let home = try await report(second, .known(.succeeded(AuthorizationID("auth-1")!)))
    #expect(home.events.isEmpty && home.opensPayments)
    let void = try await lease(order(1))
    #expect(void.call.target == "void" && void.call.body == Array("500 auth-1".utf8))
  }

  package func whatWasGivenUpIsNotLookedUpForEver() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)], confirm: true)])
    _ = try await neverCame()
    // A look that told nothing is no last one, however late it was.
    let unheard = try await lease(order(1), for: .milliseconds(200))
    _ = try await report(unheard, .noEffect(reason: "down", retryAfter: .seconds(1)), giveUp: .zero)
    let whileRefusing = try await eventually(within: .milliseconds(1_500)) {
      pass()
      return try await store.lease(limit: 1_000, for: .milliseconds(200), openFor: .seconds(60)).contains { $0.key.order == order(1) }
    }
    #expect(!whileRefusing, "while every call is refused nothing could be learned")
    let watched = try await lease(order(1), for: .milliseconds(200))
    #expect(watched.isGivenUp)
    _ = try await report(watched, .neverCame, giveUp: .zero)
    pass()
    #expect(try await store.lease(limit: 1_000, for: .seconds(1), openFor: nil).allSatisfy { $0.key.order != order(1) })
  }

  package func aCaptureThatMayBeOnItsWayIsNotGivenUp() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)], confirm: true)])
    _ = try await answer(try await lease(order(1)), .known(.succeeded(AuthorizationID("auth-1")!)))
    _ = try await transact([update("m2", order: 1, to: .processing)])
    #expect(try await transact([update("m3", order: 1, to: .shipped)]).opensPayments)
    let looked = try await neverCame()
    #expect(looked.events.isEmpty && looked.replies.isEmpty)
    let again = try await lease(order(1), for: .milliseconds(200))
    #expect(again.call.target == "capture" && !again.looksUp, "the same key may be asked again")
    #expect(try await report(again, .noEffect(reason: "busy", retryAfter: nil), giveUp: .zero).events.isEmpty)
    let last = try await lease(order(1))
    #expect(last.call == again.call)
    #expect(try await answer(last, .known(.succeeded(AuthorizationID("auth-1")!))).events.map(\.event.type) == [.shipped])
  }
}

private enum PaymentLeases {
  /// The same payment by a lease that is not the one that holds it.
  static func other(_ leased: LeasedPayment) -> LeasedPayment {
    LeasedPayment(key: leased.key, call: leased.call, lease: UUIDValue(high: 0, low: 1), isRepeat: true, trace: leased.trace)
  }
}
