import Application
import Domain
import Testing

/// What every store must do with payments.
extension OrderStoreContract {
  package func aCommandThatNeedsAPaymentStaysOpenUntilItsResult() async throws {
    let a = product("a")
    try await setStock(a, 10)
    let create = command("m1", order: 1, [(a, 2)], confirm: true)
    let first = try await transact([create])
    #expect(first.dispositions.map(\.word) == ["awaits payment"] && first.opensPayments)
    #expect(first.events.map(\.event.type) == [.created])
    #expect(try await transact([create]).dispositions.map(\.word) == ["payment open"])
    #expect(try await transact([update("m2", order: 1, to: .cancelled)]).dispositions.map(\.word) == ["payment open"])

    let leased = try await lease(order(1))
    #expect(leased.call.target == "authorize" && leased.call.body == Array("500 ".utf8) && !leased.isRepeat)
    #expect(leased.trace == CommandReference(create))
    let second = try await answer(leased, .known(.succeeded(AuthorizationID("auth-1")!)))
    #expect(second.events.map(\.event.type) == [.confirmed] && second.events[0].event.key.version == 2)
    #expect(second.replies.map { String(decoding: $0.reply.body, as: UTF8.self) } == ["accepted"])
    #expect(second.replies.first?.reply.to == "reply.store" && second.replies.first?.reply.correlationID == "correlation")
    let stored = try await store.oldest(age: .zero, limit: 100_000).replies.filter { $0.key.order == order(1) }
    #expect(stored == second.replies, "a reply is kept until it is sent")
    try await store.forget(stored.map(\.key))
    #expect(try await store.oldest(age: .zero, limit: 100_000).replies.allSatisfy { $0.key.order != order(1) })

    let again = try await transact([create]).dispositions[0]
    #expect(again.word == "duplicate" && again.result?.status == .confirmed && again.result?.version == 2 && again.result?.rejection == nil)
  }

  package func whatIsAuthorisedIsVoidedWhenTheOrderIsCancelled() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)], confirm: true)])
    _ = try await answer(try await lease(order(1)), .known(.succeeded(AuthorizationID("auth-1")!)))
    let cancelled = try await transact([update("m2", order: 1, to: .cancelled)])
    #expect(cancelled.dispositions.map(\.word) == ["accepted"] && cancelled.opensPayments)
    #expect(try await stock(a)?.reserved == 0)
    let void = try await lease(order(1))
    #expect(void.call.target == "void" && void.call.body == Array("500 auth-1".utf8))
    let voided = try await answer(void, .known(.succeeded(AuthorizationID("auth-1")!)))
    #expect(voided.events.map(\.event.type) == [.paymentVoided] && voided.replies.isEmpty)
    // Lease and result are done with: nothing of it comes again.
    let late = try await answer(void, .known(.succeeded(AuthorizationID("auth-1")!)))
    #expect(late.events.isEmpty && !late.opensPayments)
  }

  package func aDeclinedPaymentLeavesTheOrderAndTheMethodMayBeAnother() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)])])
    _ = try await transact([update("m2", order: 1, to: .confirmed)])
    let declined = try await answer(try await lease(order(1)), .known(.declined(code: "card_declined")))
    #expect(declined.events.map(\.event.type) == [.paymentFailed])
    #expect(declined.replies.map { String(decoding: $0.reply.body, as: UTF8.self) } == ["rejected:payment_declined"])
    #expect(try await transact([update("m3", order: 1, to: .confirmed)]).dispositions.map(\.word) == ["awaits payment"])
    let second = try await lease(order(1))
    #expect(second.call.key.hasSuffix("/2"), "a new operation has a key of its own")
    #expect(try await answer(second, .known(.succeeded(AuthorizationID("auth-2")!))).events.map(\.event.type) == [.confirmed])
  }

  package func anUnknownOutcomeIsAskedAgainAndAStaleAnswerChangesNothing() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)], confirm: true)])
    let first = try await lease(order(1))
    let unknown = try await answer(first, .unknown(reason: "cut"))
    #expect(unknown.events.isEmpty && unknown.replies.isEmpty)
    let second = try await lease(order(1))
    #expect(second.isRepeat && second.call == first.call && second.lease != first.lease)
    #expect(try await answer(first, .known(.declined(code: nil))).events.isEmpty, "the lease was over")
    #expect(try await answer(second, .known(.succeeded(AuthorizationID("auth-1")!))).events.map(\.event.type) == [.confirmed])
  }

  package func anOperationThatWasGivenUpKeepsItsNumber() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)])])
    _ = try await transact([update("m2", order: 1, to: .confirmed)])
    let first = try await lease(order(1))
    let report = PaymentReport(key: first.key, lease: first.lease, answer: .noEffect(reason: "down", retryAfter: nil))
    let impatient = OrderTerms(payments: PaymentTerms(encoder: codec, hasProvider: true, timeout: .seconds(10), giveUp: .zero))
    let givenUp = try await transact(BatchDecider(commands: [], own: [.paymentAnswered(report)], encoder: codec, terms: impatient))
    #expect(givenUp.events.map(\.event.type) == [.commandRejected])
    #expect(try await transact([update("m3", order: 1, to: .confirmed)]).dispositions.map(\.word) == ["awaits payment"])
    #expect(try await lease(order(1)).call.key.hasSuffix("/2"))
  }

  /// A key whose effect nobody knows of is asked again at first; refused after it was told, it waits for the end of every lease, and is then looked up.
  package func whatAnUnknownKeyDidIsLookedUpOnlyWhenNoCallOfItCanBeUnderWay() async throws {
    let a = product("a")
    try await setStock(a, 10)
    let impatient = OrderTerms(payments: PaymentTerms(encoder: codec, hasProvider: true, timeout: .zero, giveUp: .zero))
    func report(_ leased: LeasedPayment, _ answer: PaymentAnswer) async throws -> BatchOutcome {
      let report = PaymentReport(key: leased.key, lease: leased.lease, answer: answer)
      return try await transact(BatchDecider(commands: [], own: [.paymentAnswered(report)], encoder: codec, terms: impatient))
    }
    _ = try await transact([command("m1", order: 1, [(a, 2)], confirm: true)])
    let first = try await lease(order(1), for: .seconds(2))
    #expect(!first.looksUp)
    _ = try await transact([command("m2", order: 2, [(a, 2)], confirm: true)])
    #expect(try await store.lease(limit: 10, for: .seconds(2), openFor: .seconds(60)).isEmpty, "one is in hand, and the other new")
    #expect(try await report(first, .unknown(reason: "cut")).events.map(\.event.type) == [.paymentPending])
    let second = try await lease(order(1), for: .seconds(2), openFor: .seconds(60))
    #expect(second.isRepeat)
    // Refused now, but the first call may have had its effect: it is not given up.
    #expect(try await report(second, .noEffect(reason: "busy", retryAfter: nil)).events.isEmpty)
    let third = try await lease(order(1), for: .seconds(2), openFor: .seconds(60))
    #expect(third.looksUp && third.call == first.call)
    let ended = try await report(third, .neverCame)
    #expect(ended.events.map(\.event.type) == [.paymentFailed])
    #expect(ended.replies.map { String(decoding: $0.reply.body, as: UTF8.self) } == ["rejected:payment_unavailable"])
    #expect(try await lease(order(2), for: .seconds(2), openFor: .zero).isRepeat == false)
  }

  package func anOrderThatRanOutExpiresOnceAndNotBefore() async throws {
    let a = product("a")
    try await setStock(a, 10)
    _ = try await transact([command("m1", order: 1, [(a, 2)])])
    #expect(try await decide([.expire(order(1))], ttl: .seconds(3_600)).events.isEmpty)
    #expect(try await decide([.expire(order(1))], ttl: .zero).events.map(\.event.type) == [.expired])
    #expect(try await decide([.expire(order(1))], ttl: .zero).events.isEmpty)
    #expect(try await stock(a) == StockLevel(onHand: 10, reserved: 0))
    _ = try await transact([command("m2", order: 2, [(a, 2)], confirm: true)])
    #expect(try await decide([.expire(order(2))], ttl: .zero).events.isEmpty, "not while its payment is open")
  }

  func answer(_ leased: LeasedPayment, _ answer: PaymentAnswer) async throws -> BatchOutcome {
    try await decide([.paymentAnswered(PaymentReport(key: leased.key, lease: leased.lease, answer: answer))])
  }

  private func decide(_ own: [OwnCommand], ttl: Duration = .seconds(900)) async throws -> BatchOutcome {
    try await transact(BatchDecider(commands: [], own: own, encoder: codec, terms: OrderTerms(payments: Self.terms.payments, reservationTTL: ttl)))
  }

  /// The order's operation, as soon as it is due.
  func lease(_ order: OrderKey, for duration: Duration = .seconds(60), openFor age: Duration? = nil) async throws -> LeasedPayment {
    var found: LeasedPayment?
    _ = try await eventually {
      pass()
      found = try await store.lease(limit: 1_000, for: duration, openFor: age).first { $0.key.order == order }
      return found != nil
    }
    return try #require(found, "no operation of the order was due")
  }
}
