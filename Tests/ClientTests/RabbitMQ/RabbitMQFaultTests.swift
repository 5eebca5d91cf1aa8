import ClientRuntime
import RabbitMQClient
import TestSupport
import Testing

/// The real broker behind a network that breaks.
@Suite(.tags(.integration, .chaos)) struct RabbitMQFaultTests {
  @Test func aCutConnectionVoidsItsTagsAndItsDeliveriesComeAgain() async throws {
    let fixture = try await RabbitMQFixture.make()
    let (proxy, configuration) = try RabbitMQFixture.proxied()
    let publisher = try fixture.publisher()
    _ = await publisher.publish((1...3).map { fixture.publication([$0]) }, deadline: .soon)
    let consumer = try fixture.consumer(configuration)
    let taken = await consumer.deliveries(3)
    #expect(taken.map(\.body) == [[1], [2], [3]])
    let old = try #require(taken.first).generation
    proxy.cut()
    guard case .lost(old) = await consumer.next(max: 10) else {
      Issue.record("the cut was not noticed")
      return
    }
    let again = await consumer.deliveries(3)
    #expect(again.map(\.body) == [[1], [2], [3]] && again.allSatisfy { $0.redelivered && $0.generation == old + 1 })
    // An acknowledgement of the old generation has the same numbers as the new one's tags, and must not reach the broker.
    consumer.settle([.ack(tag: taken[2].tag, multiple: true)], generation: old)
    await consumer.flush()
    await consumer.close()
    #expect(await eventually { (try? await fixture.depth()) == 3 })
    await publisher.close()
    proxy.close()
    try await fixture.remove()
  }

  @Test func whatACutInTheMiddleOfABatchLeavesIsToldTruly() async throws {
    let fixture = try await RabbitMQFixture.make()
    let (proxy, configuration) = try RabbitMQFixture.proxied()
    let publisher = try fixture.publisher(configuration)
    #expect(await publisher.publish([fixture.publication([])], deadline: .soon) == [.confirmed])
    let filler = [UInt8](repeating: 7, count: 4_000)
    let batch = (UInt32(0)..<5_000).map { fixture.publication(bytes($0) + filler) }
    proxy.cut(afterBytes: 3_000_000)
    let outcomes = await publisher.publish(batch, deadline: .soon)
    #expect(outcomes.count == batch.count)

    // The publisher goes on, and what it sends now is the last in the queue.
    #expect(await publisher.publish([fixture.publication([1])], deadline: .soon) == [.confirmed])

    let consumer = try fixture.consumer()
    var arrived: Set<Int> = []
    while case let some = await consumer.deliveries(1), let body = some.first?.body, body != [1] {
      if !body.isEmpty { arrived.insert(body.prefix(4).reduce(0) { $0 << 8 | Int($1) }) }
      consumer.settle([.ack(tag: some[0].tag, multiple: false)], generation: some[0].generation)
    }
    for (i, outcome) in outcomes.enumerated() {
      switch outcome {
      case .confirmed: #expect(arrived.contains(i), "\(i) was confirmed")
      case .notSent: #expect(!arrived.contains(i), "\(i) was said not to be sent")
      case .unknown: break
      case .returned, .nacked: Issue.record("\(i): \(outcome)")
      }
    }
    #expect(outcomes.contains { if case .unknown = $0 { true } else { false } })
    #expect(outcomes.contains { if case .notSent = $0 { true } else { false } })
    await consumer.close()
    await publisher.close()
    proxy.close()
    try await fixture.remove()
  }

  @Test func aNetworkThatSwallowsEverythingCostsAPublishItsDeadlineAndIsLeftByHeartbeat() async throws {
    let fixture = try await RabbitMQFixture.make()
    let (proxy, configuration) = try RabbitMQFixture.proxied()
    let publisher = try fixture.publisher(configuration)
    #expect(await publisher.publish([fixture.publication([1])], deadline: .soon) == [.confirmed])
    proxy.becomeBlackHole()
    let (outcomes, took) = await timed { await publisher.publish([fixture.publication([2])], deadline: .after(.milliseconds(300))) }
    guard case .unknown(let reason) = outcomes[0] else {
      Issue.record("\(outcomes)")
      return
    }
    #expect(reason.contains("deadline") && took < .seconds(5))
    #expect(await eventually { !publisher.state.isConnected })
    proxy.forwardAgain()
    #expect(await publisher.publish([fixture.publication([3])], deadline: .soon) == [.confirmed])
    await publisher.close()
    proxy.close()
    try await fixture.remove()
  }

  @Test func aBatchLargerThanASwallowingNetworkTakesIsPartlyNotSent() async throws {
    let fixture = try await RabbitMQFixture.make()
    let (proxy, configuration) = try RabbitMQFixture.proxied()
    let publisher = try fixture.publisher(configuration)
    #expect(await publisher.publish([fixture.publication([])], deadline: .soon) == [.confirmed])
    proxy.becomeBlackHole()
    let batch = (0..<60).map { _ in fixture.publication([UInt8](repeating: 1, count: 1 << 20)) }
    let (outcomes, took) = await timed { await publisher.publish(batch, deadline: .after(.milliseconds(500))) }
    #expect(took < .seconds(5))
    guard case .unknown(let reason) = outcomes[0], case .notSent = outcomes[59], reason.contains("deadline") else {
      Issue.record("\(outcomes[0]) … \(outcomes[59])")
      return
    }
    proxy.close()
    await publisher.close()
    try await fixture.remove()
  }

  @Test func idleConnectionsLiveOnByTheirHeartbeats() async throws {
    let fixture = try await RabbitMQFixture.make()
    let configuration = try ConnectionConfiguration(url: Stack.amqpURL, name: "idle", heartbeat: .seconds(1))
    let changes = Locked<[ConnectionState]>([])
    let note: @Sendable (ConnectionState) -> Void = { state in changes.withLock { $0.append(state) } }
    let publisher = Publisher(configuration: configuration, onState: note)
    let consumer = Consumer(configuration: configuration, subscription: .queue(fixture.queue), prefetch: 1, onState: note)
    #expect(await eventually { publisher.state.isConnected && consumer.state.isConnected })
    // The broker closes what it has not heard from for three intervals.
    try await Task.sleep(for: .seconds(5))
    #expect(changes.withLock { $0.filter { !$0.isConnected } }.isEmpty)
    #expect(await publisher.publish([fixture.publication([1])], deadline: .soon) == [.confirmed])
    #expect(await consumer.deliveries(1).map(\.body) == [[1]])
    await consumer.close()
    await publisher.close()
    try await fixture.remove()
  }

  /// As where the database is away: far more is on its way than the consumer holds and than fits into the sockets.
  @Test func aConnectionLivesOnWhileNothingOfManyLargeDeliveriesIsTaken() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    for _ in 0..<3 {
      let large = (0..<25).map { _ in fixture.publication([UInt8](repeating: 1, count: 1 << 20)) }
      #expect(await publisher.publish(large, deadline: .soon).allSatisfy { $0 == .confirmed })
    }
    let changes = Locked<[ConnectionState]>([])
    let consumer = Consumer(configuration: try RabbitMQFixture.configuration(), subscription: .queue(fixture.queue), prefetch: 1_000) { state in
      changes.withLock { $0.append(state) }
    }
    #expect(await eventually { consumer.state.isConnected })
    // The broker closes what it has not heard from for three intervals, and what takes nothing off the wire for 30 s.
    try await Task.sleep(for: .seconds(40))
    #expect(consumer.waiting > 16 && consumer.waiting < 75, "some stay in the socket")
    let taken = await consumer.deliveries(75)
    #expect(taken.count == 75 && taken.allSatisfy { !$0.redelivered && $0.generation == 1 && $0.body.count == 1 << 20 })
    consumer.settle([.ack(tag: 75, multiple: true)], generation: 1)
    await consumer.flush()
    #expect(changes.withLock { $0.filter { !$0.isConnected } }.isEmpty)
    await consumer.close()
    #expect(await eventually { (try? await fixture.depth()) == 0 })
    await publisher.close()
    try await fixture.remove()
  }

  @Test func aConnectionClosedByAnOperatorIsMadeAgain() async throws {
    let fixture = try await RabbitMQFixture.make()
    let name = Stack.uniqueName("operator-")
    let configuration = try ConnectionConfiguration(url: Stack.amqpURL, name: name)
    let consumer = try fixture.consumer(configuration)
    #expect(await eventually { consumer.state.isConnected })
    let management = try ManagementAPI()
    #expect(await eventually { await management.closeConnection(named: name) })
    guard case .lost(1) = await consumer.next(max: 1) else {
      Issue.record("the close was not noticed")
      return
    }
    #expect(await eventually { consumer.state.isConnected })
    await consumer.close()
    try await fixture.remove()
  }

  @Test func aWrongPasswordIsToldWithoutIt() async throws {
    let host = try RabbitMQFixture.configuration().hosts[0]
    let configuration = try ConnectionConfiguration(url: "amqp://guest:s3cret@\(host.name):\(host.port)", name: "wrong")
    let publisher = Publisher(configuration: configuration)
    let consumer = Consumer(configuration: configuration, subscription: .queue("any"), prefetch: 1)
    #expect(
      await eventually {
        guard case .disconnected(let one) = publisher.state, case .disconnected(let two) = consumer.state else { return false }
        return one.contains("ACCESS_REFUSED") && two.contains("guest") && !"\(one) \(two)".contains("s3cret")
      })
    await publisher.close()
    await consumer.close()
  }
}
