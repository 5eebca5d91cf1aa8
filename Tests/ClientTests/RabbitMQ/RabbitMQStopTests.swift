import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// What a consumer that takes no more still hands out, and what stays with the broker.
@Suite struct RabbitMQStopTests {
  @Test func aConsumerThatStopsTakingHandsOutWhatItHasAndTheRestStaysInTheQueue() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    _ = await publisher.publish((1...9).map { fixture.publication([$0]) }, deadline: .soon)
    let consumer = try fixture.consumer(prefetch: 4)
    #expect(await consumer.deliveries(1).map(\.body) == [[1]])
    await consumer.flush()
    await consumer.stopTaking()
    var rest: [Delivery] = []
    while case .deliveries(let some) = await consumer.next(max: 10) { rest += some }
    #expect(rest.map(\.body) == [[2], [3], [4]])
    consumer.settle([.ack(tag: 4, multiple: true)], generation: 1)
    await consumer.flush()
    await consumer.close()
    let second = try fixture.consumer()
    let remaining = await second.deliveries(5)
    #expect(remaining.map(\.body) == (5...9).map { [$0] } && remaining.allSatisfy { !$0.redelivered })
    await second.close()
    await publisher.close()
    try await fixture.remove()
  }

  /// A window of the largest bodies would be half a gigabyte: they come as the reader takes them, also to a consumer that stops.
  @Test func aConsumerThatStopsTakingHoldsNoMoreThanOtherwise() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    let (count, size) = (300, 250_000)
    for batch in 0..<10 {
      let outcomes = await publisher.publish(
        (0..<count / 10).map { _ in fixture.publication([UInt8](repeating: UInt8(batch), count: size)) }, deadline: .after(.seconds(20)))
      #expect(outcomes.allSatisfy { $0 == .confirmed })
    }
    let consumer = try fixture.consumer()
    #expect(await eventually { consumer.waiting > 60 })
    async let stopped: Void = consumer.stopTaking()
    var (taken, most) = (0, 0)
    var last: Delivery?
    while case .deliveries(let some) = await consumer.next(max: 10) {
      taken += some.count
      last = some.last
      // A settlement makes room in the server's window that must not be filled any more.
      consumer.settle([.ack(tag: some.last!.tag, multiple: true)], generation: some.last!.generation)
      most = max(most, consumer.waiting)
      try await Task.sleep(for: .milliseconds(10))
    }
    await stopped
    #expect(taken == count && last?.generation == 1 && most <= 100, "\(taken) of \(count), \(most) at once")
    await consumer.flush()
    await consumer.close()
    #expect(try await fixture.depth() == 0)
    await publisher.close()
    try await fixture.remove()
  }

  /// A reader that is gone takes nothing: the end does not wait for it.
  @Test func aFullConsumerThatIsClosedWhileItStopsEndsAtOnce() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    let bodies = (0..<150).map { _ in fixture.publication([UInt8](repeating: 1, count: 250_000)) }
    #expect(await publisher.publish(bodies, deadline: .after(.seconds(30))).allSatisfy { $0 == .confirmed })
    let consumer = try fixture.consumer()
    #expect(await eventually { consumer.waiting > 60 })
    async let stopped: Void = consumer.stopTaking()
    try await Task.sleep(for: .milliseconds(100))
    let begin = ContinuousClock.now
    await consumer.close()
    await stopped
    #expect(begin.duration(to: .now) < .seconds(7), "10 s are for a reader that may come back")
    await publisher.close()
    try await fixture.remove()
  }

  /// However slow a broker is: what it hands out while the consumer is cancelled would be lost, and counted as delivered.
  @Test func aConsumerThatStopsTakingWaitsForABrokerThatHasMore() async throws {
    let (waiting, cancelled, peer) = (Locked<UInt32>(3), Locked<UInt32?>(nil), Locked<ScriptedBroker.Peer?>(nil))
    let broker = ScriptedBroker(ready: { waiting.withLock { $0 } }) { method, from in
      switch method {
      case 0x003C_0014:
        from.deliver(tag: 1, properties: bytes(UInt16(0)), body: [1])
        peer.withLock { $0 = from }
      case 0x003C_001E: cancelled.withLock { $0 = waiting.withLock { $0 } }
      default: break
      }
    }
    let consumer = Consumer(configuration: try broker.configuration(), subscription: .queue("q"), prefetch: 10)
    #expect(await consumer.deliveries(1).map(\.body) == [[1]])
    let slow = Task {
      for tag in 2...4 {
        try await Task.sleep(for: .milliseconds(700))
        peer.withLock { $0 }?.deliver(tag: UInt64(tag), properties: bytes(UInt16(0)), body: [UInt8(tag)])
        waiting.withLock { $0 -= 1 }
      }
    }
    await consumer.stopTaking()
    // The scripted broker answers first, and tells then.
    #expect(await eventually { cancelled.withLock { $0 } == 0 })
    var rest: [Delivery] = []
    while case .deliveries(let some) = await consumer.next(max: 10) { rest += some }
    #expect(rest.map(\.body) == [[2], [3], [4]])
    try await slow.value
    await consumer.close()
    broker.close()
  }

  /// New messages come all the time: they are other workers' to take.
  @Test func aConsumerThatStopsTakingDoesNotWaitForATrickleToEnd() async throws {
    let broker = ScriptedBroker { method, from in
      guard method == 0x003C_0014 else { return }
      _ = DedicatedThread(name: "trickle", stackSize: 256 << 10) {
        for tag in 1...50 {
          from.deliver(tag: UInt64(tag), properties: bytes(UInt16(0)), body: [UInt8(tag)])
          usleep(100_000)
        }
      }
    }
    let consumer = Consumer(configuration: try broker.configuration(), subscription: .queue("q"), prefetch: 100)
    #expect(await consumer.deliveries(1).count == 1)
    let (_, took) = await timed { await consumer.stopTaking() }
    #expect(took < .seconds(4))
    await consumer.close()
    broker.close()
  }

  /// What an acknowledgement makes room for must not be handed out while the consumer is cancelled.
  @Test func whatAConsumerThatStopsTakingDoesNotHandOutWasNotDelivered() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    var left = 20_000
    for outcome in await publisher.publish((0..<left).map { _ in fixture.publication([UInt8](repeating: 1, count: 400)) }, deadline: .after(.seconds(20))) {
      #expect(outcome == .confirmed)
    }
    for round in 1...30 where left > 600 {
      let consumer = try fixture.consumer(prefetch: 600)
      var taken = await consumer.deliveries(300)
      let first = try #require(taken.last, "round \(round)")
      consumer.settle([.ack(tag: first.tag, multiple: true)], generation: first.generation)
      await consumer.stopTaking()
      while case .deliveries(let some) = await consumer.next(max: 600) { taken += some }
      consumer.settle([.ack(tag: taken.last!.tag, multiple: true)], generation: first.generation)
      await consumer.flush()
      await consumer.close()
      left -= taken.count
    }
    let rest = try fixture.consumer(prefetch: 20_000)
    let remaining = await rest.deliveries(left)
    let counted = remaining.count { $0.redelivered }
    #expect(remaining.count == left && counted == 0, "\(remaining.count) of \(left), \(counted) of them delivered before")
    await rest.close()
    await publisher.close()
    try await fixture.remove()
  }
}
