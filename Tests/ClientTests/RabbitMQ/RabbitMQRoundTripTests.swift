import ClientRuntime
import RabbitMQClient
import TestSupport
import Testing

@Suite struct RabbitMQRoundTripTests {
  private func roundTrip(_ publications: [Publication], in fixture: RabbitMQFixture) async throws -> [Delivery] {
    let publisher = try fixture.publisher()
    let outcomes = await publisher.publish(publications, deadline: .after(.seconds(20)))
    #expect(outcomes == publications.map { _ in .confirmed })
    let consumer = try fixture.consumer()
    let deliveries = await consumer.deliveries(publications.count)
    if let last = deliveries.last { consumer.settle([.ack(tag: last.tag, multiple: true)], generation: last.generation) }
    await consumer.flush()
    await consumer.close()
    await publisher.close()
    return deliveries
  }

  @Test func everyPropertyComesBackAsItWent() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publication = fixture.publication(Array("hello".utf8)) { p in
      p.contentType = "application/json"
      p.contentEncoding = "identity"
      p.type = "a.type"
      p.messageID = "id-é\u{1F600}"
      p.correlationID = "correlation"
      p.replyTo = "reply.x"
      p.expiration = "60000"
      p.userID = "guest"
      p.appID = "tests"
      p.timestamp = 1_700_000_000
      p.priority = 3
    }
    let delivery = try #require(try await roundTrip([publication], in: fixture).first)
    #expect(delivery.properties == publication.properties)
    #expect(delivery.body == publication.body)
    #expect(delivery.exchange.isEmpty && delivery.routingKey == fixture.queue && !delivery.redelivered)
    #expect(!delivery.headersExceedLimits && !delivery.hasInvalidText)
    try await fixture.remove()
  }

  @Test func everyFieldTypeComesBackAsItWent() async throws {
    let fixture = try await RabbitMQFixture.make()
    let values: [FieldValue] = [
      .bool(true), .int8(-8), .uint8(200), .int16(-16_000), .uint16(60_000), .int32(-2_000_000_000), .uint32(4_000_000_000), .int64(.min),
      .float(1.5), .double(-2.25), .decimal(scale: 2, value: 12_345), .string("text é"), .string(""), .longBytes([0xFF, 0xFE]), .bytes([0, 1, 2]),
      .timestamp(1_700_000_000), .void, .array([.int32(1), .string("two"), .array([.void])]),
      .table([Header(name: "inner", value: .table([Header(name: "deep", value: .bool(false))]))]),
    ]
    let headers = values.enumerated().map { Header(name: "h\($0.offset)", value: $0.element) }
    let publication = fixture.publication([]) { $0.headers = headers }
    let delivery = try #require(try await roundTrip([publication], in: fixture).first)
    for (i, value) in values.enumerated() { #expect(delivery.properties.headers.first { $0.name == "h\(i)" }?.value == value) }
    try await fixture.remove()
  }

  @Test func bodiesOfAnySizeComeBackWhole() async throws {
    let fixture = try await RabbitMQFixture.make()
    let sizes = [0, 1, 131_000, 131_064, 131_065, 262_144, 1 << 20]
    let publications = sizes.map { size in fixture.publication((0..<size).map { UInt8(truncatingIfNeeded: $0 &* 31) }) }
    let deliveries = try await roundTrip(publications, in: fixture)
    // Compared one by one: a failure should not print megabytes.
    try #require(deliveries.count == sizes.count)
    for (delivery, publication) in zip(deliveries, publications) {
      let isSame = delivery.body == publication.body
      #expect(isSame, "\(publication.body.count) bytes")
    }
    try await fixture.remove()
  }

  @Test func headersBeyondTheLimitsAreLeftOutWithoutFollowingThem() async throws {
    let fixture = try await RabbitMQFixture.make()
    var deep = FieldValue.string("bottom")
    for _ in 0..<1_000 { deep = .table([Header(name: "n", value: deep)]) }
    let nested = fixture.publication([1]) { $0.headers = [Header(name: "deep", value: deep), Header(name: "plain", value: .string("kept"))] }
    let many = fixture.publication([2]) { $0.headers = (0..<65).map { Header(name: "h\($0)", value: .int32(1)) } }
    let wide = fixture.publication([3]) { $0.headers = [Header(name: "wide", value: .array((0..<1_025).map { .int32($0) }))] }
    let good = fixture.publication([4]) { $0.headers = (0..<64).map { Header(name: "h\($0)", value: .int32(1)) } }
    let deliveries = try await roundTrip([nested, many, wide, good], in: fixture)
    #expect(deliveries.map(\.headersExceedLimits) == [true, true, true, false])
    #expect(deliveries.first?.properties.headers == [Header(name: "plain", value: .string("kept"))])
    #expect(deliveries.count > 1 && deliveries[1].properties.headers.count == 64)
    try await fixture.remove()
  }

  @Test func memoryStaysFlatOverManyMessages() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    let consumer = try fixture.consumer(prefetch: 400)
    let batch = (0..<200).map { i in
      fixture.publication([UInt8](repeating: 1, count: 4_000)) { $0.headers = [Header(name: "a header's name", value: .string("a header's value \(i)"))] }
    }
    var before = 0
    for round in 0..<60 {
      #expect(await publisher.publish(batch, deadline: .soon) == batch.map { _ in .confirmed })
      let last = try #require(await consumer.deliveries(200).last)
      consumer.settle([.ack(tag: last.tag, multiple: true)], generation: last.generation)
      if round == 9 { before = allocatedBytes() }
    }
    // 10,000 messages of 4 KB went both ways meanwhile. The memory of tests beside this one goes when they end; a leak stays.
    let isFlat = await eventually(within: .seconds(150)) { allocatedBytes() - before < 20 << 20 }
    #expect(isFlat)
    await consumer.close()
    await publisher.close()
    try await fixture.remove()
  }

  @Test func manyBatchesUnderWayAtOnceAreEachAnsweredInOrder() async throws {
    let fixture = try await RabbitMQFixture.make()
    let publisher = try fixture.publisher()
    let outcomes = await withTaskGroup(of: [PublishOutcome].self) { group in
      for batch in 0..<20 {
        group.addTask {
          await publisher.publish((0..<100).map { fixture.publication(Array("\(batch)-\($0)".utf8)) }, deadline: .after(.seconds(30)))
        }
      }
      return await group.reduce(into: []) { $0 += $1 }
    }
    let confirmed = outcomes.count { $0 == .confirmed }
    try #require(confirmed == 2_000)
    let consumer = try fixture.consumer(prefetch: 500)
    var bodies: Set<[UInt8]> = []
    while bodies.count < 2_000 {
      guard case .deliveries(let some) = await consumer.next(max: 300) else { continue }
      bodies.formUnion(some.map(\.body))
      consumer.settle([.ack(tag: some.last!.tag, multiple: true)], generation: some.last!.generation)
    }
    await consumer.close()
    await publisher.close()
    try await fixture.remove()
  }
}
