import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// What a broker does only when it is in trouble, or when somebody wishes it ill.
@Suite(.tags(.chaos)) struct RabbitMQScriptedTests {
  private static let publish: UInt32 = 0x003C_0028
  private static let consume: UInt32 = 0x003C_0014
  private static let confirmSelect: UInt32 = 0x0055_000A
  private let publication = Publication(exchange: "", routingKey: "q", body: [1])

  @Test func aBlockedPublisherWaitsAndSendsNothingUntilItIsUnblocked() async throws {
    let published = Locked(0)
    let peer = Locked<ScriptedBroker.Peer?>(nil)
    let broker = ScriptedBroker { method, from in
      if method == Self.confirmSelect {
        from.send(0x000A_003C, shortString("low on memory"), channel: 0)
        peer.withLock { $0 = from }
      } else if method == Self.publish {
        let tag = published.withLock { count in
          count += 1
          return UInt64(count)
        }
        from.send(0x003C_0050, bytes(tag) + [0])
      }
    }
    let publisher = Publisher(configuration: try broker.configuration())
    #expect(await eventually { peer.withLock { $0 != nil } })
    // The first call may still get through before the word of the block is read.
    _ = await publisher.publish([publication], deadline: .after(.milliseconds(300)))
    let before = published.withLock { $0 }
    let (outcomes, took) = await timed { await publisher.publish([publication], deadline: .after(.milliseconds(300))) }
    guard case .notSent(let reason) = outcomes[0] else {
      Issue.record("\(outcomes)")
      return
    }
    #expect(reason.contains("blocked"))
    #expect(took < .seconds(5))
    async let waiting = publisher.publish([publication], deadline: .soon)
    try await Task.sleep(for: .milliseconds(50))
    #expect(published.withLock { $0 } == before)
    peer.withLock { $0 }?.send(0x000A_003D, channel: 0)
    #expect(await waiting == [.confirmed])
    await publisher.close()
    broker.close()
  }

  @Test func aChannelThatOnlyNacksIsReplacedOnTheSameConnection() async throws {
    let tags = Locked([Int: UInt64]())
    let channels = Locked(0)
    let broker = ScriptedBroker { method, from in
      guard method == Self.publish else { return }
      channels.withLock { $0 = max($0, from.channels) }
      let tag = tags.withLock { tags in
        tags[from.channels, default: 0] += 1
        return tags[from.channels]!
      }
      from.send(from.channels == 1 ? 0x003C_0078 : 0x003C_0050, bytes(tag) + [0])
    }
    let publisher = Publisher(configuration: try broker.configuration())
    var nacked = 0
    let mended = await eventually {
      let outcomes = await publisher.publish([publication], deadline: .soon)
      if outcomes == [.nacked] { nacked += 1 }
      return outcomes == [.confirmed]
    }
    #expect(mended && nacked >= 3)
    #expect(channels.withLock { $0 } == 2 && broker.connections == 1)
    await publisher.close()
    broker.close()
  }

  enum Ending: CaseIterable { case consumerCancelled, channelClosed, connectionClosed }

  @Test(arguments: Ending.allCases) func aConsumerThatTheBrokerEndsSaysLostAndComesBack(ending: Ending) async throws {
    let broker = ScriptedBroker { method, from in
      guard method == Self.consume else { return }
      from.deliver(tag: 1, properties: bytes(UInt16(0)), body: [UInt8(from.number)])
      guard from.number == 1 else { return }
      let reason = bytes(UInt16(406)) + shortString("delivery acknowledgement timed out") + bytes(UInt32(0))
      switch ending {
      case .consumerCancelled: from.send(0x003C_001E, shortString("consumer") + [1])
      case .channelClosed: from.send(0x0014_0028, reason)
      case .connectionClosed: from.send(0x000A_0032, reason, channel: 0)
      }
    }
    let consumer = Consumer(configuration: try broker.configuration(), subscription: .queue("q"), prefetch: 10)
    var lost: UInt64?
    while true {
      guard case .deliveries(let some) = await consumer.next(max: 10) else {
        lost = 1
        continue
      }
      if some[0].generation == 2 {
        #expect(some[0].body == [2])
        break
      }
    }
    #expect(lost == 1)
    await consumer.close()
    broker.close()
  }

  /// The deepest that fits one frame: 131,000 bytes of tables in tables or arrays in arrays.
  @Test(arguments: [(UInt8(ascii: "F"), 5_000), (UInt8(ascii: "F"), 21_000), (UInt8(ascii: "A"), 26_000)])
  func headersNestedAsDeepAsAFrameAllowsAreSurvived(kind: UInt8, levels: Int) async throws {
    let broker = ScriptedBroker { method, from in
      guard method == Self.consume else { return }
      let perLevel = kind == UInt8(ascii: "F") ? 6 : 5
      var nested: [UInt8] = []
      for inner in (0..<levels).reversed() {
        // Within a table each value has a name, here an empty one; the outermost has its own.
        if kind == UInt8(ascii: "F"), inner < levels - 1 { nested.append(0) }
        nested += [kind] + bytes(UInt32(inner * perLevel))
      }
      let table = shortString("deep") + nested
      let headers = shortString("plain") + [UInt8(ascii: "t"), 1]
      from.deliver(tag: 1, properties: bytes(UInt16(1 << 13)) + bytes(UInt32(table.count + headers.count)) + table + headers, body: [1])
      from.deliver(tag: 2, properties: bytes(UInt16(0)), body: [2])
    }
    let consumer = Consumer(configuration: try broker.configuration(), subscription: .queue("q"), prefetch: 10)
    let deliveries = await consumer.deliveries(2)
    #expect(deliveries.map(\.body) == [[1], [2]])
    #expect(deliveries.map(\.headersExceedLimits) == [true, false])
    #expect(deliveries.first?.properties.headers == [Header(name: "plain", value: .bool(true))])
    #expect(broker.connections == 1)
    await consumer.close()
    broker.close()
  }

  @Test func textThatIsNotUTF8IsRepairedAndToldOf() async throws {
    let broker = ScriptedBroker { method, from in
      guard method == Self.consume else { return }
      from.deliver(tag: 1, properties: bytes(UInt16(1 << 7)) + [3, 0x61, 0xFF, 0x62], body: [1])
      from.deliver(tag: 2, properties: bytes(UInt16(1 << 7)) + [3, 0x61, 0x00, 0x62], body: [2])
    }
    let consumer = Consumer(configuration: try broker.configuration(), subscription: .queue("q"), prefetch: 10)
    let deliveries = await consumer.deliveries(2)
    #expect(deliveries.map(\.properties.messageID) == ["a\u{FFFD}b", "a\0b"])
    #expect(deliveries.map(\.hasInvalidText) == [true, false])
    await consumer.close()
    broker.close()
  }

  @Test func aBrokerThatFallsSilentIsLeft() async throws {
    // It agrees on heartbeats each second, and sends none.
    let broker = ScriptedBroker(heartbeat: 1) { _, _ in }
    let publisher = Publisher(configuration: try broker.configuration())
    let consumer = Consumer(configuration: try broker.configuration(), subscription: .queue("q"), prefetch: 1)
    #expect(await eventually { publisher.state.isConnected && consumer.state.isConnected })
    let outcomes = await publisher.publish([publication], deadline: .soon)
    guard case .unknown(let reason) = outcomes[0] else {
      Issue.record("\(outcomes)")
      return
    }
    #expect(reason.contains("heartbeat"))
    guard case .lost(1) = await consumer.next(max: 1) else {
      Issue.record("the consumer did not notice")
      return
    }
    await publisher.close()
    await consumer.close()
    broker.close()
  }

  @Test func aHostThatAcceptsAndSaysNothingCostsAPublishNoMoreThanItsDeadline() async throws {
    let (listener, port) = listenOnLoopback()
    let publisher = Publisher(
      configuration: try ConnectionConfiguration(url: "amqp://127.0.0.1:\(port)", name: "nobody", connectTimeout: .seconds(5)))
    let (outcomes, took) = await timed { await publisher.publish([publication], deadline: .after(.milliseconds(200))) }
    guard case .notSent = outcomes[0] else {
      Issue.record("\(outcomes)")
      return
    }
    #expect(took < .seconds(3))
    Glibc.close(listener)
    await publisher.close()
  }
}
