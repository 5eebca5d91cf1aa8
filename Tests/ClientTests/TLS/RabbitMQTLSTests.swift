import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// The real broker by TLS.
@Suite(
  .serialized, .tags(.integration), .enabled(if: PrivateRabbitMQ.isInstalled && TestCertificates.isInstalled), .tlsBroker)
struct RabbitMQTLSTests {
  private let broker: TLSBroker
  private let queue = Stack.uniqueName("tls-test-")

  init() throws { broker = try #require(TLSBroker.current) }

  private func declare() async throws {
    try await AMQPAdministration.withSession(try broker.configuration()) { [queue] session throws(AMQPError) in
      try session.declareQueue(queue, arguments: [])
    }
  }

  private func publication(_ body: [UInt8]) -> Publication { Publication(exchange: "", routingKey: queue, mandatory: true, body: body) }

  private func consumer(_ configuration: ConnectionConfiguration) -> Consumer {
    Consumer(configuration: configuration, subscription: .queue(queue), prefetch: 1_000)
  }

  /// Whose content tells of a byte that is missing, doubled or out of place.
  private static func body(_ number: Int, size: Int) -> [UInt8] { (0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ number &+ $0 >> 8) } }

  @Test func thousandsOfMessagesSmallAndLargeGoThereAndBack() async throws {
    try await declare()
    let configuration = try broker.configuration()
    let publisher = Publisher(configuration: configuration)
    let consumer = consumer(configuration)
    // Both ways at the same time, in bursts: what is decrypted and not read yet must not be waited for.
    let bodies = (0..<4_000).map { Self.body($0, size: $0 % 40 == 0 ? 200 << 10 : $0 % 7 == 0 ? 17_000 : 300) }
    async let outcomes = publish(bodies, by: publisher)
    var arrived: [[UInt8]] = []
    while arrived.count < bodies.count {
      let some = await consumer.deliveries(min(500, bodies.count - arrived.count), within: .seconds(60))
      guard let last = some.last else { break }
      arrived += some.map(\.body)
      consumer.settle([.ack(tag: last.tag, multiple: true)], generation: last.generation)
    }
    let isSame = arrived == bodies
    #expect(isSame, "\(arrived.count) came back")
    #expect(await outcomes.allSatisfy { $0 == .confirmed })
    await consumer.flush()
    await consumer.close()
    await publisher.close()
  }

  @Test(arguments: ["localhost", "127.0.0.1"]) func aServerIsKnownByItsNameOrAddress(host: String) async throws {
    let publisher = Publisher(configuration: try broker.configuration(host: host))
    #expect(await eventually { publisher.state.isConnected }, "\(publisher.state)")
    let server = publisher.state.server
    #expect(server?.hasPrefix("RabbitMQ ") == true && server?.hasSuffix(" (TLSv1.3) at \(host):\(broker.port)") == true, "\(server ?? "")")
    await publisher.close()
  }

  private func publish(_ bodies: [[UInt8]], by publisher: Publisher) async -> [PublishOutcome] {
    var outcomes: [PublishOutcome] = []
    for start in stride(from: 0, to: bodies.count, by: 500) {
      outcomes += await publisher.publish(bodies[start..<min(start + 500, bodies.count)].map(publication), deadline: .after(.seconds(60)))
    }
    return outcomes
  }

  /// So that the socket takes parts of what is written, again and again, while more is made ready.
  @Test func whatGoesOverASlowNetworkArrivesWhole() async throws {
    try await declare()
    let proxy = TCPProxy(to: broker.port)
    let publisher = Publisher(configuration: try broker.configuration(port: proxy.port))
    #expect(await publisher.publish([publication([])], deadline: .soon) == [.confirmed])
    proxy.delay(.milliseconds(2))
    let bodies = (0..<120).map { Self.body($0, size: 200 << 10) }
    let outcomes = await withTaskGroup(of: [PublishOutcome].self) { group in
      for start in stride(from: 0, to: bodies.count, by: 20) {
        group.addTask { await publisher.publish(bodies[start..<start + 20].map(publication), deadline: .after(.seconds(60))) }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    #expect(outcomes.count == bodies.count && outcomes.allSatisfy { $0 == .confirmed })
    proxy.forwardAgain()
    let consumer = consumer(try broker.configuration(port: proxy.port))
    let arrived = Set(await consumer.deliveries(bodies.count + 1, within: .seconds(60)).map(\.body))
    let isSame = arrived == Set(bodies + [[]])
    #expect(isSame, "\(arrived.count) came back")
    await consumer.close()
    await publisher.close()
    proxy.close()
  }

  @Test func whatACutInTheMiddleOfABatchLeavesIsToldTruly() async throws {
    try await declare()
    let proxy = TCPProxy(to: broker.port)
    let publisher = Publisher(configuration: try broker.configuration(port: proxy.port))
    #expect(await publisher.publish([publication([])], deadline: .soon) == [.confirmed])
    let filler = [UInt8](repeating: 7, count: 4_000)
    proxy.cut(afterBytes: 3_000_000)
    let outcomes = await publisher.publish((UInt32(0)..<5_000).map { publication(bytes($0) + filler) }, deadline: .soon)
    #expect(await publisher.publish([publication([1])], deadline: .soon) == [.confirmed])
    let consumer = consumer(try broker.configuration())
    var arrived: Set<Int> = []
    while let delivery = await consumer.deliveries(1).first, delivery.body != [1] {
      if !delivery.body.isEmpty { arrived.insert(delivery.body.prefix(4).reduce(0) { $0 << 8 | Int($1) }) }
      consumer.settle([.ack(tag: delivery.tag, multiple: false)], generation: delivery.generation)
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
  }

  @Test func idleConnectionsLiveOnByTheirHeartbeats() async throws {
    try await declare()
    let changes = Locked<[ConnectionState]>([])
    let note: @Sendable (ConnectionState) -> Void = { state in changes.withLock { $0.append(state) } }
    let configuration = try broker.configuration()
    let publisher = Publisher(configuration: configuration, onState: note)
    let consumer = Consumer(configuration: configuration, subscription: .queue(queue), prefetch: 1, onState: note)
    #expect(await eventually { publisher.state.isConnected && consumer.state.isConnected })
    // The broker closes what it has not heard from for three intervals.
    try await Task.sleep(for: .seconds(5))
    #expect(changes.withLock { $0.filter { if case .disconnected = $0 { true } else { false } } }.isEmpty)
    #expect(await publisher.publish([publication([1])], deadline: .soon) == [.confirmed])
    #expect(await consumer.deliveries(1).map(\.body) == [[1]])
    await consumer.close()
    await publisher.close()
  }

  @Test func whoVerifiesNothingIsConnectedAndShown() async throws {
    let publisher = Publisher(configuration: try broker.configuration(authority: nil, more: "verify=verify_none&server_name_indication=elsewhere.example"))
    #expect(await eventually { publisher.state.server?.contains("(TLSv1.3, unverified)") == true }, "\(publisher.state)")
    await publisher.close()
  }

  @Test func aClientWithoutACertificateIsToldThatTheServerWantsOne() async throws {
    let error = await connectError(try broker.configuration(client: nil))
    #expect(error?.message.contains("it wants a client certificate, which certfile and keyfile name") == true, "\(String(describing: error))")
  }

  @Test func aClientCertificateThatTheServerDoesNotKnowIsRefusedByTheServer() async throws {
    let error = await connectError(try broker.configuration(client: "impostor"))
    let sentences = ["the server refuses the client certificate: unknown CA", "the server closed the connection: it may not accept the client certificate"]
    #expect(sentences.contains { error?.message.hasSuffix($0) == true }, "\(String(describing: error))")
  }

  @Test func aPortWithoutTLSIsToldOf() async throws {
    let error = await connectError(try broker.configuration(port: broker.server.port))
    #expect(error?.message.hasSuffix("localhost:\(broker.server.port): the server does not speak TLS at this port") == true, "\(String(describing: error))")
  }

  @Test func filesAreReadAnewForEachConnection() async throws {
    try await declare()
    let files = broker.certificates
    // What the client has at first is good for nothing.
    try await files.issue("rotated", by: "stranger", for: ["client"])
    try await files.replace("trusted", by: "stranger")
    let proxy = TCPProxy(to: broker.port)
    let publisher = Publisher(configuration: try broker.configuration(port: proxy.port, authority: "trusted", client: "rotated"))
    #expect(await refused(publisher, "signed by no authority in \(files.certificate("trusted"))"))
    try await files.replace("trusted", by: "authority")
    #expect(await refused(publisher, "the client certificate"))
    try await files.replace("rotated", by: "client")
    #expect(await publisher.publish([publication([1])], deadline: .soon) == [.confirmed])
    // A connection lives on whatever becomes of the files, and the next one reads them.
    try await files.replace("trusted", by: "stranger")
    #expect(await publisher.publish([publication([2])], deadline: .soon) == [.confirmed])
    proxy.cut()
    #expect(await refused(publisher, "signed by no authority in \(files.certificate("trusted"))"))
    try await files.replace("trusted", by: "authority")
    #expect(await publisher.publish([publication([3])], deadline: .soon) == [.confirmed])
    await publisher.close()
    proxy.close()
  }

  private func refused(_ publisher: Publisher, _ sentence: String) async -> Bool {
    await eventually { if case .disconnected(let reason) = publisher.state { reason.contains(sentence) } else { false } }
  }
}

/// What a try to connect ends in; nil where it succeeds.
func connectError(_ configuration: ConnectionConfiguration) async -> AMQPError? {
  do throws(AMQPError) {
    _ = try await AMQPAdministration.withSession(configuration, deadline: .soon) { session throws(AMQPError) in try session.server }
    return nil
  } catch {
    return error
  }
}
