import Application
import Domain
import TestSupport
import Testing

@Suite struct HousekeeperTests {
  @Test func whatHasRunOutExpiresWithItsEventAndItsStockIsFree() async throws {
    let fixture = PipelineFixture()
    try await fixture.run {
      fixture.source.deliver((1...3).map { PipelineFixture.create("m\($0)", order: UInt64($0)) })
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 3) })
      fixture.store.advance(by: .seconds(899))
      try await fixture.housekeeper.expireDue()
      #expect(fixture.store.snapshot.orders.values.allSatisfy { $0.status == .pending })
      fixture.store.advance(by: .seconds(2))
      try await fixture.housekeeper.expireDue()
      #expect(await eventually { fixture.broker.all.events.filter { $0.type == .expired }.count == 3 })
    }
    let tables = fixture.store.snapshot
    #expect(tables.orders.values.allSatisfy { $0.status == .expired && $0.reservation == .expired && $0.version == 2 })
    #expect(tables.stock.values.allSatisfy { $0.reserved == 0 })
    #expect(tables.claims.count == 3 && fixture.broker.all.replies.count == 3, "an expiry makes no claim and answers nobody")
    #expect(tables.audit.filter { $0.action == "order.expire" && $0.actor == "order-worker" }.count == 3)
  }

  @Test func anOrderWithAnOpenPaymentDoesNotExpire() async throws {
    let provider = ScriptedProvider { _, _ in .hang }
    let fixture = PipelineFixture(provider: provider)
    try await fixture.run {
      fixture.source.deliver([PipelineFixture.confirmedCreate("m1", order: 1)])
      #expect(await eventually { provider.calls == 1 })
      fixture.store.advance(by: .seconds(2_000))
      try await fixture.housekeeper.expireDue()
      provider.goOn()
      #expect(await eventually { fixture.replies["m1"] != nil })
    }
    #expect(fixture.replies["m1"] == ["accepted"])
    #expect(fixture.store.snapshot.orders.values.map(\.status) == [.confirmed])
  }

  @Test func twoHousekeepersExpireEachOrderOnce() async throws {
    let fixture = PipelineFixture()
    try await fixture.run {
      fixture.source.deliver((1...700).map { PipelineFixture.create("m\($0)", order: UInt64($0)) })
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 700) })
      fixture.store.advance(by: .seconds(1_000))
      await withThrowingTaskGroup { group in
        for _ in 0..<2 { group.addTask { try await fixture.housekeeper.expireDue() } }
      }
      #expect(await eventually { fixture.broker.all.events.filter { $0.type == .expired }.count == 700 })
    }
    #expect(fixture.store.snapshot.orders.values.allSatisfy { $0.version == 2 })
  }
}
