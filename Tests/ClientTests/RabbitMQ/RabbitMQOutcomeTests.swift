import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

@Suite struct RabbitMQOutcomeTests {
  @Test func aMandatoryMessageThatReachesNoQueueIsReturnedAndTheOthersAreConfirmed() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    var lost = fixture.publication([2])
    lost.routingKey = "no-such-queue"
    var unheard = lost
    unheard.mandatory = false
    let outcomes = await publisher.publish([fixture.publication([1]), lost, unheard, fixture.publication([3])], deadline: .after(.seconds(20)))
    #expect(outcomes[0] == .confirmed && outcomes[2] == .confirmed && outcomes[3] == .confirmed)
    guard case .returned(312, _) = outcomes[1] else {
      Issue.record("\(outcomes[1])")
      return
    }
    await publisher.close()
    try await fixture.remove()
  }

  @Test func aFullQueueNacks() async throws {
    let fixture = try await RabbitMQFixture.make(arguments: [
      Header(name: "x-max-length", value: .int32(1)), Header(name: "x-overflow", value: .string("reject-publish")),
    ])
    let publisher = try fixture.publisher()
    var outcomes: [PublishOutcome] = []
    let nacked = await eventually {
      outcomes = await publisher.publish([fixture.publication([1])], deadline: .after(.seconds(5)))
      return outcomes == [.nacked]
    }
    #expect(nacked, "\(outcomes)")
    await publisher.close()
    try await fixture.remove()
  }

  @Test func anExchangeThatIsNotThereCostsOnlyItsOwnMessagesAndNotTheConnection() async throws {
    let fixture = try await RabbitMQFixture.make()
    let changes = Locked<[ConnectionState]>([])
    let publisher = Publisher(configuration: try RabbitMQFixture.configuration()) { state in changes.withLock { $0.append(state) } }
    #expect(await publisher.publish([fixture.publication([1])], deadline: .soon) == [.confirmed])
    var wrong = fixture.publication([2])
    wrong.exchange = "no-such-exchange"
    for round in 0..<5 {
      let batch = [wrong] + (0..<20).map { fixture.publication([$0]) } + [wrong] + (0..<20).map { fixture.publication([$0]) }
      let outcomes = await publisher.publish(batch, deadline: .soon)
      for (publication, outcome) in zip(batch, outcomes) {
        if case .unknown(let reason) = outcome, publication.exchange == wrong.exchange {
          #expect(reason.contains("NOT_FOUND") && reason.contains(wrong.exchange))
        } else {
          #expect(outcome == .confirmed, "round \(round)")
        }
      }
    }
    #expect(changes.withLock(\.count) == 1, "it stayed connected")
    await publisher.close()
    try await fixture.remove()
  }

  @Test func whatAMQPCannotCarryIsNotSentAndTheOthersAre() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    let long = String(repeating: "é", count: 128)
    var batch = (0..<5).map { fixture.publication([$0]) }
    batch[0].properties.messageID = long
    batch[1].properties.headers = [Header(name: long, value: .void)]
    batch[2].routingKey = long
    batch[3].properties.headers = [Header(name: "wide", value: .bytes([UInt8](repeating: 0, count: 140_000)))]
    let outcomes = await publisher.publish(batch, deadline: .soon)
    for (outcome, word) in zip(outcomes, ["message id", "header", "routing key", "headers"]) {
      guard case .notSent(let reason) = outcome, reason.contains(word) else {
        Issue.record("\(word): \(outcome)")
        continue
      }
    }
    #expect(outcomes[4] == .confirmed)
    await publisher.close()
    try await fixture.remove()
  }

  @Test func withoutConfirmsAMessageIsDoneWhenItIsWritten() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = Publisher(configuration: try RabbitMQFixture.configuration(), confirms: false)
    let batch = (0..<200).map { fixture.publication([$0]) }
    #expect(await publisher.publish(batch, deadline: .soon) == batch.map { _ in .confirmed })
    let consumer = try fixture.consumer()
    #expect(await consumer.deliveries(200).map(\.body) == batch.map(\.body))
    await consumer.close()
    await publisher.close()
    try await fixture.remove()
  }

  @Test func anExclusiveQueueHasANameAndItsBindings() async throws {
    let exchange = Stack.uniqueName("client-test-exchange-")
    try await AMQPAdministration.withSession(try RabbitMQFixture.configuration()) { session throws(AMQPError) in
      try session.declareExchange(exchange, type: "topic")
    }
    let consumer = Consumer(
      configuration: try RabbitMQFixture.configuration(), subscription: .exclusive(name: "", bindings: [(exchange, "a.#"), (exchange, "b")]), prefetch: 10)
    #expect(await eventually { consumer.state.isConnected })
    let name = try #require(consumer.queueName)
    #expect(name.hasPrefix("amq.gen-"))
    let publisher = Publisher(configuration: try RabbitMQFixture.configuration())
    let keys = ["a.x", "c", "b", "a"]
    let batch = keys.map { Publication(exchange: exchange, routingKey: $0, body: []) } + [Publication(exchange: "", routingKey: name, body: [])]
    _ = await publisher.publish(batch, deadline: .soon)
    let deliveries = await consumer.deliveries(4)
    #expect(deliveries.map(\.routingKey) == ["a.x", "b", "a", name])
    #expect(deliveries.map(\.exchange) == [exchange, exchange, exchange, ""])
    await consumer.close()
    await publisher.close()
    try await AMQPAdministration.withSession(try RabbitMQFixture.configuration()) { session throws(AMQPError) in try session.deleteExchange(exchange) }
  }

  @Test func administrationGivesUpAtItsDeadline() async throws {
    let (listener, port) = listenOnLoopback()
    let configuration = try ConnectionConfiguration(url: "amqp://127.0.0.1:\(port)", name: "nobody", connectTimeout: .milliseconds(300))
    let (error, took) = await timed {
      await #expect(throws: AMQPError.self) {
        try await AMQPAdministration.withSession(configuration, deadline: .after(.seconds(1))) { session throws(AMQPError) in try session.deleteQueue("q") }
      }
    }
    #expect(error?.isRetriable == true && took < .seconds(5))
    Glibc.close(listener)
  }

  @Test func withoutAServerAPublishIsCertainlyNotSentByItsDeadline() async throws {
    let publisher = Publisher(configuration: try ConnectionConfiguration(url: "amqp://guest:guest@127.0.0.1:1/", name: "nobody"))
    let begin = ContinuousClock.now
    let outcomes = await publisher.publish([Publication(exchange: "", routingKey: "q", body: [])], deadline: .after(.milliseconds(300)))
    guard case .notSent = outcomes[0] else {
      Issue.record("\(outcomes)")
      return
    }
    #expect(begin.duration(to: .now) < .seconds(5))
    await publisher.close()
  }

  @Test func whatIsNotSettledComesAgainAndSaysSo() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    _ = await publisher.publish((1...4).map { fixture.publication([$0]) }, deadline: .after(.seconds(20)))
    let first = try fixture.consumer()
    let taken = await first.deliveries(4)
    #expect(taken.map(\.redelivered) == [false, false, false, false])
    first.settle([.ack(tag: taken[1].tag, multiple: true), .nack(tag: taken[2].tag, requeue: true, multiple: false)], generation: taken[0].generation)
    #expect(await first.deliveries(1).map(\.body) == [[3]], "given back, it comes again")
    await first.flush()
    await first.close()
    let second = try fixture.consumer()
    let again = await second.deliveries(2)
    #expect(Set(again.map(\.body)) == [[3], [4]])
    #expect(again.allSatisfy { $0.redelivered })
    await second.close()
    await publisher.close()
    try await fixture.remove()
  }

  @Test func prefetchBoundsWhatIsUnderWay() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    _ = await publisher.publish((1...20).map { fixture.publication([$0]) }, deadline: .after(.seconds(20)))
    let consumer = try fixture.consumer(prefetch: 5)
    let first = await consumer.deliveries(5)
    #expect(first.count == 5)
    await consumer.flush()
    consumer.settle([.ack(tag: first[4].tag, multiple: true)], generation: first[4].generation)
    #expect(await consumer.deliveries(5).map(\.body) == (6...10).map { [$0] })
    await consumer.close()
    await publisher.close()
    try await fixture.remove()
  }

  @Test func aQueueThatComesLaterIsFound() async throws {
    let name = Stack.uniqueName("client-test-late-")
    let consumer = Consumer(configuration: try RabbitMQFixture.configuration(), subscription: .queue(name), prefetch: 10)
    let saysSo = await eventually { if case .disconnected(let reason) = consumer.state { reason.contains(name) } else { false } }
    #expect(saysSo)
    try await AMQPAdministration.withSession(try RabbitMQFixture.configuration()) { session throws(AMQPError) in
      try session.declareQueue(name, arguments: [Header(name: "x-queue-type", value: .string("quorum"))])
    }
    let connected = await eventually { consumer.state.isConnected }
    #expect(connected)
    // The queue goes away under the consumer: it says that its deliveries are void, and looks again.
    try await AMQPAdministration.withSession(try RabbitMQFixture.configuration()) { session throws(AMQPError) in try session.deleteQueue(name) }
    guard case .lost = await consumer.next(max: 1) else {
      Issue.record("the consumer did not notice")
      return
    }
    await consumer.close()
  }

  @Test func aLookTellsMissingFromDifferent() async throws {
    let fixture = try await RabbitMQFixture.make()
    let quorum = [Header(name: "x-queue-type", value: .string("quorum"))]
    let (present, missing, differs) = try await AMQPAdministration.withSession(try RabbitMQFixture.configuration()) {
      [queue = fixture.queue] session throws(AMQPError) in
      (
        try session.lookAtQueue(queue, arguments: quorum), try session.lookAtQueue("\(queue)-not", arguments: quorum),
        try session.lookAtQueue(queue, arguments: quorum + [Header(name: "x-max-length", value: .int32(5))])
      )
    }
    #expect(present == .present && missing == .missing)
    guard case .differs = differs else {
      Issue.record("\(differs)")
      return
    }
    try await fixture.remove()
  }

  @Test(arguments: ["http://x", "amqp://", "amqp://h:99999/", "amqp://u:p%zz@h/", "amqps://h/?verify=no"])
  func aWrongURLIsRefusedWithoutQuotingIt(url: String) {
    #expect(throws: AMQPError.self) { _ = try ConnectionConfiguration(url: url, name: "x") }
  }

  @Test func aURLIsReadWhole() throws {
    let c = try ConnectionConfiguration(url: "amqp://us%40er:p%2Fw@one:1,two,[::1]:3/a%2Fb?x=y", name: "x")
    #expect(c.hosts.map(\.name) == ["one", "two", "::1"] && c.hosts.map(\.port) == [1, 5672, 3])
    #expect(c.user == "us@er" && c.virtualHost == "a/b")
    #expect(!c.description.contains("p/w"))
    #expect(try ConnectionConfiguration(url: "amqp://h", name: "x").virtualHost == "/")
  }
}
