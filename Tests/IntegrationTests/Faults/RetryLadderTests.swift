import ClientRuntime
import PostgresClient
import RabbitMQClient
import TestSupport
import Testing

/// A command that fails by itself: in place, up the ladder, to the dead letters, while those beside it are done at once.
@Suite struct RetryLadderTests {
  @Test(.timeLimit(.minutes(2))) func aCulpritGoesUpTheLadderToTheDeadLettersAndTheOthersDoNotWaitForIt() async throws {
    let (world, flow) = try await Self.start(rungs: "1s")
    try await Self.refuseCulprits(in: world)
    var commands = (0..<60).map { flow.create($0) }
    commands.insert(flow.create(1_000, customer: "culprit"), at: 30)
    commands[30].properties.headers = [Header(name: "authorization", value: .string("Bearer t")), Header(name: "mine", value: .int64(7))]
    #expect(await flow.send(commands))
    let worker = await world.worker()
    #expect(await eventually { flow.acceptedIDs.count == 60 }, "\(world.logTail())")
    #expect(flow.answers(to: "create-1000").isEmpty, "the others are answered while it is still tried")

    let letters = await DeliveryLog(
      Consumer(configuration: try world.configuration("dead letters"), subscription: .queue("\(world.name).dead-letter"), prefetch: 10))
    #expect(await eventually { letters.count == 1 }, "\(world.logTail())")
    let letter = try #require(letters.all.first?.delivery)
    #expect(letter.properties.messageID == "create-1000" && letter.properties.type == "order.create" && letter.body == commands[30].body)
    #expect(letter.headerText("x-reason") == "retries_exhausted" && letter.headerText("x-error")?.contains("is refused") == true)
    // Once and three times more in place, and once more from the one rung.
    #expect(letter.header("x-attempt") == .int32(5), "\(letter.properties.headers)")
    let (first, last) = (try #require(letter.headerText("x-first-failed-at")), try #require(letter.headerText("x-failed-at")))
    #expect(first < last && first.hasSuffix("Z") && first.count == last.count)
    #expect(letter.headerText("x-original-exchange") == "\(world.name).commands" && letter.headerText("x-original-routing-key") == "order.create")
    #expect(letter.header("mine") == .int64(7) && letter.header("authorization") == nil && letter.header("x-death") == nil)
    #expect(await eventually { !flow.answers(to: "create-1000").isEmpty })
    let answers = flow.answers(to: "create-1000")
    #expect(answers.count == 1 && answers[0].outcome == "dead_lettered" && answers[0].error?.code == "retries_exhausted")
    #expect(try await world.number("SELECT count(*) FROM processed_commands WHERE message_id = 'create-1000'") == 0, "it leaves no claim")
    #expect(try await world.number("SELECT count(*) FROM orders") == 60)
    #expect(flow.eventIDs.count == 60)
    await letters.close()
    try await Self.end(worker, world, flow)
  }

  @Test(.timeLimit(.minutes(2))) func aCommandWhoseFaultHasPassedIsAcceptedFromTheLadderUnderItsOwnID() async throws {
    let (world, flow) = try await Self.start(rungs: "5s,30s")
    try await Self.refuseCulprits(in: world)
    #expect(await flow.send([flow.create(1, customer: "culprit"), flow.create(2)]))
    let worker = await world.worker()
    #expect(try await eventually { try await world.depth("retry.5s") == 1 }, "\(world.logTail())")
    try await Self.execute("DROP TRIGGER refuse ON orders", in: world)
    #expect(await eventually { flow.acceptedIDs == ["create-1", "create-2"] }, "\(world.logTail())")
    #expect(await eventually { flow.eventIDs.count == 2 })
    #expect(flow.answers(to: "create-1").count == 1)
    #expect(try await world.number("SELECT count(*) FROM processed_commands WHERE message_id = 'create-1' AND outcome = 'accepted'") == 1)
    #expect(try await world.depth("dead-letter") == 0)
    try await Self.end(worker, world, flow)
  }

  private static func start(rungs: String) async throws -> (ProductWorld, CommandFlow) {
    let world = try await ProductWorld.make(["ORDERS_RETRY_RUNGS": rungs])
    try await world.setStock(["p": 1_000])
    return (world, try await CommandFlow(world))
  }

  private static func end(_ worker: ServerProcess, _ world: ProductWorld, _ flow: CommandFlow) async throws {
    #expect(worker.isRunning, "\(world.logTail())")
    await worker.end()
    for queue in ["commands", "retry.1s", "retry.5s", "retry.30s"] { #expect(try await world.depth(queue) == 0, "\(queue)") }
    await flow.close()
    try await world.remove()
  }

  /// What a rule of the database's owner does, that the worker knows nothing of.
  private static func refuseCulprits(in world: ProductWorld) async throws {
    try await execute(
      """
      CREATE FUNCTION refuse_culprits() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.customer_id = 'culprit' THEN RAISE EXCEPTION 'the customer % is refused', NEW.customer_id; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse_culprits();
      """, in: world)
  }

  private static func execute(_ sql: String, in world: ProductWorld) async throws {
    try await world.database.run(deadline: .after(.seconds(30))) { session throws(PostgresError) in try session.execute(sql) }
  }
}
