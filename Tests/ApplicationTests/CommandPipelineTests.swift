import Application
import Domain
import Synchronization
import TestSupport
import Testing

@Suite struct CommandPipelineTests {
  typealias Fixture = PipelineFixture

  @Test func aCreatedOrderIsStoredAnsweredPublishedCachedAndAcknowledged() async throws {
    let fixture = Fixture()
    let report = try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1)])
      #expect(await eventually { fixture.source.settled == [.acknowledge(upTo: 1)] })
    }
    let key = OrderKey(tenant: .standard, order: Fixture.order(1))
    #expect(fixture.store.snapshot.orders[key]?.status == .pending)
    #expect(fixture.replies["m1"] == ["accepted"])
    #expect(fixture.broker.all.events.map(\.type) == [.created])
    #expect(fixture.broker.all.snapshots[key]?.version == 1)
    #expect(fixture.store.snapshot.outbox.isEmpty, "a confirmed event leaves the outbox")
    #expect(report == .init(settled: 1))
  }

  @Test func theEndWaitsForTheSweepThatIsUnderWay() async throws {
    let fixture = Fixture()
    let sweeps = Mutex(0)
    fixture.store.beforeForgetting {
      sweeps.withLock { $0 += 1 }
      // Until the worker's end has begun, and a while longer: a task of its own, since the sleep of a cancelled one is none.
      while !Task.isCancelled { await Task.yield() }
      await Task.detached { try? await Task.sleep(for: .milliseconds(50)) }.value
    }
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1)])
      #expect(await eventually { sweeps.withLock { $0 } == 1 })
    }
    #expect(fixture.store.snapshot.outbox.isEmpty)
  }

  @Test func nothingIsAcknowledgedBeforeItsReplyIsOut() async throws {
    let fixture = Fixture()
    let early = Mutex(false)
    fixture.broker.beforeReplies {
      let next = UInt64(fixture.broker.all.replies.count + 1)
      let acknowledged = await eventually(within: .milliseconds(50)) { fixture.source.hasAcknowledged(upTo: next) }
      early.withLock { $0 = $0 || acknowledged }
    }
    try await fixture.run {
      // The second has no event that would have to be confirmed first, and the third goes to the dead letters.
      var bad = Fixture.create("m2", order: 2)
      bad.body = Array("?".utf8)
      for (count, message) in [Fixture.create("m1", order: 1), Fixture.create("m1", order: 1), bad].enumerated() {
        fixture.source.deliver([message])
        #expect(await eventually { fixture.replies.values.reduce(0) { $0 + $1.count } == count + 1 })
      }
    }
    #expect(!early.withLock { $0 })
    #expect(fixture.source.hasAcknowledged(upTo: 3))
  }

  @Test func aDuplicateTakesEffectOnceWhetherInTheSameBatchOrALaterOne() async throws {
    let fixture = Fixture()
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1), Fixture.create("m1", order: 1)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
      fixture.source.deliver([Fixture.create("m1", order: 1)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 3) })
    }
    #expect(fixture.replies["m1"] == ["accepted", "duplicate:accepted", "duplicate:accepted"])
    #expect(fixture.store.snapshot.stock.values.map(\.reserved) == [1])
    #expect(fixture.broker.all.events.count == 1)
  }

  @Test func theSameIdWithOtherDataIsAnIdConflictAndDoesNotTouchTheFirst() async throws {
    let fixture = Fixture()
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1), Fixture.create("m1", order: 2)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    #expect(fixture.replies["m1"]?.sorted() == ["accepted", "dead_lettered:id_conflict"])
    #expect(fixture.store.snapshot.orders.count == 1)
    #expect(fixture.broker.all.forwarded.map(\.routingKey) == ["orders.dead-letter"])
  }

  @Test func anOrderIdThatAnotherMessageUsedIsRejectedWithAnEventOfItsOwn() async throws {
    let fixture = Fixture()
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1), Fixture.create("m2", order: 1)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    #expect(fixture.replies["m2"] == ["rejected:already_exists"])
    #expect(fixture.broker.all.events.map(\.type) == [.created, .commandRejected])
    #expect(fixture.store.snapshot.stock.values.map(\.reserved) == [1])
  }

  @Test func stockIsNeverOversoldWithinABatch() async throws {
    let fixture = Fixture(stock: ["p": 5])
    try await fixture.run {
      fixture.source.deliver((1...8).map { Fixture.create("m\($0)", order: UInt64($0)) })
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 8) })
    }
    #expect(fixture.replies.values.filter { $0 == ["accepted"] }.count == 5)
    #expect(fixture.replies.values.filter { $0 == ["rejected:out_of_stock"] }.count == 3)
    #expect(fixture.store.snapshot.stock.values.map(\.reserved) == [5])
    #expect(fixture.broker.all.events.filter { $0.type == .rejected }.count == 3)
  }

  @Test func aDuplicateIsNotLateAndAReplayNeither() async throws {
    let journal = RecordingJournal()
    let fixture = Fixture(journal: journal)
    var (first, replay) = (Fixture.create("m1", order: 1), Fixture.create("m2", order: 2))
    (first.timestamp, replay.timestamp) = (1, 1)
    replay.headers.append(MessageHeader("x-order-principal", .string("0/0/0/6f1c2d3e-1111-4222-8333-444455556666/alice")))
    let messages = [first, first, replay]
    try await fixture.run {
      for (number, message) in messages.enumerated() {
        fixture.source.deliver([message])
        #expect(await eventually { fixture.source.hasAcknowledged(upTo: UInt64(number + 1)) })
      }
    }
    let finished = journal.notes.compactMap { if case .finished(_, let commands) = $0 { commands } else { nil } }
    #expect(finished.map(\.took.count) == [1, 1, 1] && finished.map(\.ages.count) == [1, 0, 0])
  }

  /// Each run costs seconds, and all that is behind it waits.
  @Test func aLockThatIsNotHadIsNotWaitedForAgainAndAgain() async throws {
    let fixture = Fixture()
    let culprit = MessageID("m3")!
    fixture.store.setFault { keys, _ in keys.identities.contains { $0.message == culprit } ? .blocked("canceling statement due to lock timeout") : nil }
    try await fixture.run {
      fixture.source.deliver((1...8).map { Fixture.create("m\($0)", order: UInt64($0)) })
      #expect(await eventually { fixture.broker.all.replies.count == 7 })
    }
    // All, a half, a quarter and the culprit twice each, the other parts once, and its tries in place.
    #expect(fixture.store.snapshot.transactions <= 2 * 4 + 3 + 2 * 3)
  }

  @Test func aStoreThatIsAwayCountsNothingAndLosesNothing() async throws {
    let fixture = Fixture()
    fixture.store.setFault { _, transaction in transaction < 6 ? .unavailable("down") : nil }
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1)])
      #expect(await eventually { fixture.source.settled == [.acknowledge(upTo: 1)] })
    }
    #expect(fixture.replies["m1"] == ["accepted"])
    #expect(fixture.broker.all.forwarded.isEmpty)
  }

  @Test func aConflictRunsTheBatchAgain() async throws {
    let fixture = Fixture()
    fixture.store.setFault { _, transaction in transaction <= 5 ? .conflict("deadlock detected") : nil }
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1), Fixture.create("m2", order: 2)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    #expect(fixture.store.snapshot.transactions >= 6)
    #expect(fixture.broker.all.forwarded.isEmpty)
  }

  @Test func aCulpritIsToldFromTheOthersAndGoesUpTheLadder() async throws {
    let fixture = Fixture()
    let culprit = MessageID("m5")!
    fixture.store.setFault { keys, _ in keys.identities.contains { $0.message == culprit } ? .refused("check violated") : nil }
    try await fixture.run {
      fixture.source.deliver((1...16).map { Fixture.create("m\($0)", order: UInt64($0)) })
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 16) })
    }
    #expect(fixture.replies.count == 15, "the others are not held up")
    let retry = try #require(fixture.broker.all.forwarded.first)
    #expect(retry.routingKey == "orders.retry.1s" && retry.messageID == "m5")
    #expect(retry.header("x-order-principal") == .string("4/0/0"), "one try and three in place have failed")
    #expect(retry.header("authorization") == nil)
  }

  @Test(arguments: [(4, "orders.retry.5s"), (5, "orders.retry.30s"), (6, "orders.retry.2m"), (7, "orders.retry.10m"), (8, "orders.dead-letter")])
  func eachRungIsTakenOnceAndThenItIsADeadLetter(failures: Int, queue: String) async throws {
    let fixture = Fixture()
    fixture.store.setFault { _, _ in .refused("check violated") }
    var again = Fixture.create("m1", order: 1)
    again.headers.append(MessageHeader("x-order-principal", .string("\(failures)")))
    let message = again
    try await fixture.run {
      fixture.source.deliver([message])
      #expect(await eventually { fixture.source.settled == [.acknowledge(upTo: 1)] })
    }
    #expect(fixture.broker.all.forwarded.map(\.routingKey) == [queue])
    if queue == "orders.dead-letter" { #expect(fixture.broker.all.forwarded[0].header("x-reason") == .string("retries_exhausted")) }
  }

  @Test func anEventThatIsNotConfirmedStaysInTheOutboxAndTheCommandIsDoneAllTheSame() async throws {
    let fixture = Fixture(broker: InMemoryBroker(takesEvent: { $0.key.order.order != Fixture.order(2) }))
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1), Fixture.create("m2", order: 2)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    #expect(fixture.store.snapshot.outbox.keys.map(\.order.order) == [Fixture.order(2)])
    #expect(fixture.replies["m2"] == ["accepted"])
  }

  @Test func anUpdateThatComesBeforeItsOrderWaitsASecondWithoutAnAttemptCounted() async throws {
    let fixture = Fixture(rungs: [.fiveSeconds])
    try await fixture.run {
      fixture.source.deliver([Fixture.update("m1", order: 1, to: .cancelled), Fixture.create("m2", order: 2)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    let waiting = try #require(fixture.broker.all.forwarded.first)
    #expect(waiting.routingKey == "orders.retry.1s", "whatever rungs are configured")
    #expect(waiting.header("x-order-principal") == .string("0/1/0"))
    #expect(fixture.replies["m1"] == nil && fixture.replies["m2"] == ["accepted"])
  }

  @Test func anOverdueEarlyUpdateIsRejected() async throws {
    let fixture = Fixture()
    var last = Fixture.update("m1", order: 1, to: .cancelled)
    last.headers.append(MessageHeader("x-order-principal", .string("0/3")))
    let message = last
    try await fixture.run {
      fixture.source.deliver([message])
      #expect(await eventually { fixture.source.settled == [.acknowledge(upTo: 1)] })
    }
    #expect(fixture.replies["m1"] == ["rejected:not_found"])
    #expect(fixture.broker.all.forwarded.isEmpty)
  }

  @Test func anEventGoesOutOnlyAfterTheConfirmOfItsOrdersPreviousOne() async throws {
    let fixture = Fixture(broker: InMemoryBroker(takesEvent: { $0.type != .created }))
    try await fixture.run {
      fixture.source.deliver([Fixture.create("m1", order: 1), Fixture.update("m2", order: 1, to: .cancelled)])
      #expect(await eventually { fixture.source.hasAcknowledged(upTo: 2) })
    }
    #expect(fixture.broker.all.events.isEmpty, "the second event must not overtake the first")
    #expect(fixture.store.snapshot.outbox.keys.map(\.version).sorted() == [1, 2])
  }

  @Test func anEventWaitsForTheOlderOneOfAnotherWorkerAndGoesWhenThatIsSent() async throws {
    let fixture = Fixture()
    let codec = PlainCodec()
    let received = ReceivedMessage(tag: DeliveryTag(generation: 1, number: 1), redelivered: false, message: Fixture.create("m1", order: 1))
    guard case .command(let create) = codec.decode(received) else {
      Issue.record("the test's command is unreadable")
      return
    }
    // Another worker has committed the create and not yet sent its event.
    let decider = BatchDecider(commands: [create], encoder: codec, terms: OrderStoreContract.terms)
    _ = try await fixture.store.transact(decider.keys, sent: []) { decider.decide($0) }
    let older = fixture.store.snapshot.outbox.keys.map { $0 }
    let looks = Mutex(0)
    fixture.store.beforeLookingForUnsent {
      let look = looks.withLock { looks in
        looks += 1
        return looks
      }
      #expect(fixture.broker.all.events.isEmpty, "it must not overtake")
      if look == 2 { fixture.store.drop(older) }
    }
    try await fixture.run {
      fixture.source.deliver([Fixture.update("m2", order: 1, to: .cancelled)])
      #expect(await eventually { fixture.broker.all.events.map(\.type) == [.cancelled] })
    }
    #expect(looks.withLock { $0 } == 2)
  }

  @Test func drainingFinishesWhatIsInHand() async throws {
    let fixture = Fixture()
    let report = try await fixture.run {
      for batch in 0..<20 { fixture.source.deliver((0..<10).map { Fixture.create("m\(batch)-\($0)", order: UInt64(batch * 10 + $0)) }) }
      await fixture.pipeline.drain()
    }
    #expect(report.settled == 200 && report.unsettled == 0 && (1...200).contains(report.finished))
    #expect(fixture.store.snapshot.orders.count == 200)
  }
}
