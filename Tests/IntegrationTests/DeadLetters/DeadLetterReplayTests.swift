import ClientRuntime
import PostgresClient
import RabbitMQClient
import TestSupport
import Testing

/// The life of a dead letter with the built product: kept, replayed, failed again or settled.
@Suite struct DeadLetterReplayTests {
  static let roles = ["ORDERS_ROLES": "commands,queries,payments,outbox,dead-letters,housekeeping", "ORDERS_RETRY_RUNGS": "10m"]

  /// With a rule of the database's owner that no order of these customers gets through, until it is mended.
  private static func start() async throws -> (ProductWorld, CommandFlow, ServerProcess) {
    let world = try await ProductWorld.make(roles)
    try await world.setStock(["p": 100_000])
    let flow = try await CommandFlow(world)
    return (world, flow, await world.worker())
  }

  private static func refuseCulprits(in world: ProductWorld) async throws {
    try await execute(
      """
      CREATE FUNCTION refuse_culprits() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.customer_id = 'culprit' THEN RAISE EXCEPTION 'the customer is refused'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse_culprits();
      """, in: world)
  }

  private static func execute(_ sql: String, in world: ProductWorld) async throws {
    try await world.database.run(deadline: .after(.seconds(30))) { session throws(PostgresError) in try session.execute(sql) }
  }

  private static func end(_ world: ProductWorld, _ flow: CommandFlow, _ worker: ServerProcess) async throws {
    #expect(worker.isRunning, "\(world.logTail())")
    await worker.end()
    await flow.close()
    try await world.remove()
  }

  /// As the broker dead-letters what is never acknowledged.
  private static func park(_ publications: [Publication], in flow: CommandFlow) async -> Bool {
    await flow.send(
      publications.map { publication in
        var letter = publication
        letter.exchange = ""
        letter.routingKey = "\(flow.world.name).dead-letter"
        letter.properties.headers = [
          Header(name: "x-death", value: .array([.table([Header(name: "reason", value: .string("delivery_limit"))])]))
        ]
        return letter
      })
  }

  @Test(.timeLimit(.minutes(2))) func aReplayThatFailsAgainIsBackInItsRowAtOnceAndOneThatIsDoneIsResolved() async throws {
    let (world, flow, worker) = try await Self.start()
    #expect(await Self.park([flow.create(1, customer: "culprit")], in: flow))
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'parked'") == 1 }, "\(world.logTail())")

    try await Self.refuseCulprits(in: world)
    #expect(await world.command(["dead-letters", "replay", "--all"]), "\(world.logTail())")
    #expect(
      try await eventually {
        try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'parked' AND reason = 'retries_exhausted' AND attempts = 4") == 1
      }, "\(world.logTail())")
    #expect(try await world.depth("retry.10m") == 0, "a fault of a replay does not go up the ladder")
    #expect(flow.answers(to: "create-1").map(\.outcome) == ["dead_lettered"])

    try await Self.execute("DROP TRIGGER refuse ON orders", in: world)
    #expect(await world.command(["dead-letters", "replay", "--reason", "retries_exhausted"]), "\(world.logTail())")
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'resolved'") == 1 }, "\(world.logTail())")
    #expect(try await world.number("SELECT count(*) FROM dead_letters") == 1, "one row, from the beginning to the end")
    #expect(try await world.number("SELECT count(*) FROM orders") == 1)
    #expect(flow.answers(to: "create-1").map(\.outcome) == ["dead_lettered", "accepted"])
    #expect(try await world.number("SELECT count(*) FROM audit_log WHERE action = 'dead_letter.replay' AND actor LIKE 'cli:%'") == 2)
    #expect(try await world.number("SELECT jsonb_array_length(history) FROM dead_letters") == 5)
    try await Self.end(world, flow, worker)
  }

  @Test(.timeLimit(.minutes(2))) func replayedFromTwoTerminalsAtOnceEachLetterIsPublishedOnce() async throws {
    let (world, flow, worker) = try await Self.start()
    let count = 1_200
    #expect(await Self.park((1...count).map { flow.create($0) }, in: flow))
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters") == Int64(count) }, "\(world.logTail())")
    async let first = world.command(["dead-letters", "replay", "--all", "--json"])
    async let second = world.command(["dead-letters", "replay", "--all", "--json"])
    _ = await (first, second)
    #expect(
      try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'resolved'") == Int64(count) }, "\(world.logTail())")
    #expect(try await world.number("SELECT count(*) FROM orders") == Int64(count))
    #expect(try await world.number("SELECT count(*) FROM audit_log WHERE action = 'dead_letter.replay'") == Int64(count))
    // Answers go out behind the commit that resolves a letter.
    #expect(await eventually { flow.acceptedIDs.count == count })
    try await Self.end(world, flow, worker)
    #expect(flow.replies.count == count, "no duplicate was answered: each was published once")
  }

  @Test(.timeLimit(.minutes(2))) func aLetterThatTheSenderSentAgainIsSettledWithoutAReplay() async throws {
    let (world, flow, worker) = try await Self.start()
    #expect(await Self.park([flow.create(1), flow.create(2)], in: flow))
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'parked'") == 2 }, "\(world.logTail())")
    #expect(await flow.send([flow.create(1)]))
    #expect(
      try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'resolved' AND message_id = 'create-1'") == 1 },
      "\(world.logTail())")
    #expect(await world.command(["dead-letters", "discard", "--all"]), "\(world.logTail())")
    #expect(try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'discarded' AND message_id = 'create-2'") == 1)
    #expect(try await world.number("SELECT count(*) FROM orders") == 1)
    try await Self.end(world, flow, worker)
  }

  @Test(.timeLimit(.minutes(2))) func aLetterWithoutAnIdIsReplayedUnderTheRowsAndTheOperatorsName() async throws {
    let (world, flow, worker) = try await Self.start()
    var nameless = flow.create(1)
    nameless.properties.messageID = nil
    let publisher = try world.publisher()
    #expect(await publisher.publish([nameless], deadline: .after(.seconds(20))) == [.confirmed])
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE reason = 'malformed'") == 1 }, "\(world.logTail())")
    #expect(await !world.command(["dead-letters", "replay", "--all"]), "nobody is known to have sent it")
    #expect(await world.command(["dead-letters", "replay", "--all", "--as-me"]), "\(world.logTail())")
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'resolved'") == 1 }, "\(world.logTail())")
    #expect(
      try await world.number(
        "SELECT count(*) FROM processed_commands p JOIN dead_letters d ON p.message_id = 'dl-' || d.id::text WHERE p.subject LIKE 'cli:%'") == 1)
    await publisher.close()
    try await Self.end(world, flow, worker)
  }

  /// Five workers are killed, and it takes two for each.
  private static let mostBlamed: Int64 = 2

  @Test(.timeLimit(.minutes(4))) func workersThatAreKilledLoseNoLetterAndTellOfEachOnce() async throws {
    let (world, flow, first) = try await Self.start()
    var worker = first
    // Each was in the hands of several workers that died, and is tried alone.
    let count = 1_500
    let broken = (0..<count).map { world.publication(Array("{".utf8), id: "broken-\($0)") }
    async let sent = flow.send(broken)
    for _ in 0..<5 {
      try await Task.sleep(for: .milliseconds(300))
      await worker.end(9)
      worker = await world.worker()
    }
    #expect(await sent)
    #expect(
      try await eventually(within: .seconds(120)) {
        let waiting = [try await world.depth("dead-letter"), try await world.depth("commands")]
        return try await world.number("SELECT count(DISTINCT message_id) FROM dead_letters") == Int64(count) && waiting == [0, 0]
      }, "\(world.logTail())")
    #expect(
      try await world.number("SELECT count(*) FROM dead_letters WHERE reason = 'malformed'") >= Int64(count) - Self.mostBlamed,
      "a row for each, however often it came")
    #expect(try await world.number("SELECT count(*) FROM (SELECT FROM dead_letters GROUP BY message_id, reason HAVING count(*) > 1) AS twice") == 0)
    // Whoever happens to be tried alone by two workers that are killed is blamed for it, as it must be.
    #expect(try await world.number("SELECT count(*) FROM dead_letters WHERE reason = 'delivery_limit'") <= Self.mostBlamed)
    #expect(try await world.number("SELECT count(*) FROM dead_letters WHERE state <> 'parked' OR reason NOT IN ('malformed', 'delivery_limit')") == 0)
    try await Self.end(world, flow, worker)
  }
}
