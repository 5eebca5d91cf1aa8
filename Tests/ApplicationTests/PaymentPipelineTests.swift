import Application
import Domain
import TestSupport
import Testing

@Suite struct PaymentPipelineTests {
  typealias Fixture = PipelineFixture

  @Test func aConfirmedCreateIsAnsweredOnceWhenItsPaymentIsSettled() async throws {
    let provider = ScriptedProvider()
    let fixture = Fixture(provider: provider)
    try await fixture.run {
      fixture.source.deliver([Fixture.confirmedCreate("m1", order: 1)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 1) && fixture.replies["m1"] != nil })
    }
    #expect(fixture.replies["m1"] == ["accepted"])
    #expect(fixture.broker.all.events.map(\.type) == [.created, .confirmed])
    #expect(provider.ledger.map(\.target) == ["authorize"])
    let tables = fixture.store.snapshot
    #expect(tables.orders.values.map(\.status) == [.confirmed] && tables.orders.values.map(\.paymentStatus) == [.authorized])
    #expect(tables.outbox.isEmpty && tables.replies.isEmpty, "what was sent leaves the outbox")
    #expect(tables.audit.map(\.outcome) == ["accepted"], "one row of audit for the one command")
  }

  @Test func aDeclineIsARejectionThatMadeAVersion() async throws {
    let fixture = Fixture(provider: ScriptedProvider { _, _ in .decline })
    try await fixture.run {
      fixture.source.deliver([Fixture.confirmedCreate("m1", order: 1)])
      #expect(await eventually { fixture.replies["m1"] != nil })
    }
    #expect(fixture.replies["m1"] == ["rejected:payment_declined"])
    #expect(fixture.broker.all.events.map(\.type) == [.created, .paymentFailed])
    #expect(fixture.store.snapshot.stock.values.map(\.reserved) == [1], "the order keeps its stock")
  }

  @Test func anAnswerThatWasLostIsAskedForAgainAndChargesOnce() async throws {
    let provider = ScriptedProvider { _, number in number < 3 ? .loseAnswer : .succeed }
    let fixture = Fixture(provider: provider)
    try await fixture.run {
      fixture.source.deliver([Fixture.confirmedCreate("m1", order: 1)])
      #expect(
        await eventually {
          fixture.store.advance(by: .milliseconds(100))
          return fixture.replies["m1"] != nil
        })
    }
    #expect(fixture.replies["m1"] == ["accepted"])
    #expect(provider.ledger.count == 1 && provider.calls == 3)
  }

  @Test func whatStaysUnknownIsToldOnceAndSettledInTheEnd() async throws {
    let provider = ScriptedProvider { _, number in number < 12 ? .loseAnswer : .succeed }
    let fixture = Fixture(provider: provider)
    try await fixture.run {
      fixture.source.deliver([Fixture.confirmedCreate("m1", order: 1)])
      #expect(
        await eventually {
          fixture.store.advance(by: .seconds(1))
          return fixture.replies["m1"] != nil
        })
    }
    #expect(fixture.broker.all.events.map(\.type) == [.created, .paymentPending, .confirmed])
    #expect(fixture.replies["m1"] == ["accepted"] && provider.ledger.count == 1)
  }

  @Test func whatNeverHadAnEffectIsGivenUp() async throws {
    let provider = ScriptedProvider { _, _ in .refuse }
    let fixture = Fixture(provider: provider, giveUp: .seconds(60))
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1, pay: true), Fixture.update("m2", order: 1, to: .confirmed)])
      #expect(
        await eventually {
          fixture.store.advanceToNextPayment()
          return fixture.replies["m2"] != nil
        })
    }
    #expect(fixture.replies["m2"] == ["rejected:payment_unavailable"])
    #expect(fixture.broker.all.events.map(\.type) == [.created, .commandRejected])
    #expect(provider.ledger.isEmpty)
    let audit = fixture.store.snapshot.audit
    #expect(audit[1].at >= audit[0].at + .seconds(60) && provider.calls > 3, "and not before its time")
  }

  /// The one who gave the call up and the one who pays instead are the same customer.
  @Test func aCallThatIsHeldForLongerThanTheGiveUpIsVoidedWhenItArrives() async throws {
    let provider = ScriptedProvider { call, number in
      if call.key.hasSuffix("/1") { number == 1 ? .holdOnItsWay : .refuse } else { .succeed }
    }
    let fixture = Fixture(provider: provider, giveUp: .seconds(60))
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1, pay: true), Fixture.update("m2", order: 1, to: .confirmed)])
      #expect(
        await eventually {
          fixture.store.advance(by: .seconds(1))
          return fixture.replies["m2"] == ["rejected:payment_unavailable"]
        })
      fixture.source.deliver([Fixture.update("m3", order: 1, to: .confirmed)])
      #expect(await eventually { fixture.replies["m3"] == ["accepted"] })
      provider.goOn()
      #expect(
        await eventually {
          fixture.store.advance(by: .seconds(1))
          return provider.ledger.contains { $0.target == "void" }
        })
    }
    #expect(provider.ledger.map(\.target) == ["authorize", "authorize", "void"])
    let tables = fixture.store.snapshot
    #expect(tables.payments.values.map(\.authorization?.id.rawValue) == ["auth-\(Fixture.order(1))/2"], "the late one is voided")
  }

  @Test func othersOfTheOrderWaitWhileItsPaymentIsOpenAndNobodyElseDoes() async throws {
    let provider = ScriptedProvider { _, _ in .hang }
    let fixture = Fixture(provider: provider)
    try await fixture.run {
      fixture.source.deliver([Fixture.confirmedCreate("m1", order: 1), Fixture.confirmedCreate("m1", order: 1), Fixture.update("m2", order: 1, to: .cancelled)])
      fixture.source.deliver([Fixture.create("m3", order: 2)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 4) && provider.calls == 1 })
      #expect(fixture.replies["m3"] == ["accepted"])
      #expect(fixture.replies["m1"] == nil)
      #expect(fixture.broker.all.forwarded.map(\.messageID) == ["m1", "m2"])
      provider.goOn()
      #expect(await eventually { fixture.replies["m1"] != nil })
    }
  }

  @Test(arguments: [(0, "1s"), (1, "1s"), (2, "5s"), (3, "30s"), (40, "30s")])
  func whoWaitsForAPaymentTakesItsRungs(waited: Int, rung: String) async throws {
    let provider = ScriptedProvider { _, _ in .hang }
    // The configured rungs are for what fails.
    let fixture = Fixture(rungs: [.tenMinutes], provider: provider)
    var waiting = Fixture.update("m2", order: 1, to: .cancelled)
    waiting.headers.append(MessageHeader("x-order-principal", .string("2/0/\(waited)")))
    let update = waiting
    try await fixture.run {
      fixture.source.deliver([Fixture.confirmedCreate("m1", order: 1)])
      #expect(await eventually { provider.calls == 1 })
      fixture.source.deliver([update])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
      provider.goOn()
    }
    #expect(fixture.broker.all.forwarded.map(\.routingKey) == ["orders.retry.\(rung)"])
    #expect(fixture.broker.all.forwarded[0].header("x-order-principal") == .string("2/0/\(waited + 1)"), "no attempt is counted")
  }

  @Test func aWholeLifeAuthorisesAndCapturesOnce() async throws {
    let provider = ScriptedProvider()
    let fixture = Fixture(provider: provider)
    try await fixture.run {
      for (number, message) in [
        Fixture.confirmedCreate("m0", order: 1), Fixture.update("m1", order: 1, to: .processing), Fixture.update("m2", order: 1, to: .shipped),
        Fixture.update("m3", order: 1, to: .delivered),
      ].enumerated() {
        fixture.source.deliver([message])
        #expect(await eventually { fixture.replies["m\(number)"] == ["accepted"] })
      }
    }
    #expect(fixture.broker.all.events.map(\.type) == [.created, .confirmed, .processing, .shipped, .delivered])
    #expect(provider.ledger.map(\.target) == ["authorize", "capture"])
    #expect(fixture.store.snapshot.stock.values.map { [$0.onHand, $0.reserved] } == [[999_999, 0]])
  }

  @Test func noMoreCallsAreUnderWayThanAreAllowed() async throws {
    let provider = ScriptedProvider()
    let fixture = Fixture(provider: provider)
    try await fixture.run {
      fixture.source.deliver((1...300).map { Fixture.confirmedCreate("m\($0)", order: UInt64($0)) })
      #expect(await eventually { fixture.replies.count == 300 })
    }
    #expect(provider.mostAtOnce <= 64 && provider.ledger.count == 300)
  }
}
