import ClientRuntime
import Glibc
import PostgresClient
import RabbitMQClient
import TestSupport
import Testing

/// Very many dead letters with the built product: found fast, replayed carefully. `DEAD_LETTERS` says how many.
@Suite struct ManyDeadLettersTests {
  private static let count = getenv("DEAD_LETTERS").flatMap { Int(String(cString: $0)) } ?? 3_000

  /// As a worker's rows, of orders that nobody has made yet.
  private static func fill(_ world: ProductWorld) async throws {
    try await execute(
      """
      INSERT INTO dead_letters (tenant_id, id, message_id, type, reason, error, error_pattern, attempts, state, body, body_size, body_sha256, headers,
                                properties, principal, command, subject, fingerprint, history, first_failed_at, failed_at)
      SELECT 'default', gen_random_uuid(), 'bulk-' || n, 'order.create', 'retries_exhausted', 'the customer ' || n || ' is refused',
             'the customer … is refused, kind ' || n % 7, 8, 'parked', b, length(b), sha256(b), '{}',
             '{"exchange":"\(world.name).commands","routing_key":"order.create","content_type":"application/json"}',
             '{"sub":"anonymous","roles":["service"],"tenant":"default"}', 'order.create', 'anonymous', sha256(b), '[]', t, t
      FROM (
        SELECT n, now() - interval '1 day' + n * interval '1 millisecond' AS t,
               convert_to('{"customer_id":"culprit","items":[{"product_id":"p","quantity":1,"unit_price":"9.99"}],"metadata":{"note":"'
                          || repeat('x', 300) || n || '"}}', 'UTF8') AS b
        FROM generate_series(1, \(count)) AS n
      ) AS s;
      CREATE FUNCTION refuse_culprits() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN
        IF NEW.customer_id = 'culprit' THEN RAISE EXCEPTION 'the customer is refused'; END IF;
        RETURN NEW;
      END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse_culprits();
      """, in: world)
  }

  private static func execute(_ sql: String, in world: ProductWorld) async throws {
    try await world.database.run(deadline: .after(.seconds(300))) { session throws(PostgresError) in try session.execute(sql) }
  }

  @Test(.timeLimit(.minutes(10))) func aRampStopsWhileTheCauseIsThereAndAReplayThatIsKilledGoesOnOnceItIsMended() async throws {
    let world = try await ProductWorld.make(DeadLetterReplayTests.roles)
    try await world.setStock(["p": Int64(Self.count)])
    try await Self.fill(world)
    let worker = await world.worker()

    // Others may hold up the machine for a moment: one time of ten is enough.
    var fastest = Duration.seconds(60)
    for _ in 0..<10 where fastest >= .seconds(1) {
      let start = ContinuousClock.now
      #expect(await world.command(["dead-letters", "list", "--by", "error"]), "\(world.logTail())")
      fastest = min(fastest, ContinuousClock.now - start)
    }
    #expect(fastest < .seconds(1))

    let alike = (1...Self.count).count { $0 % 7 == 3 }
    #expect(await world.command(["dead-letters", "replay", "--error", "the customer … is refused, kind 3", "--dry-run"]))
    #expect(world.printed.contains("\(alike) matched, \(alike) applies\n"), "\(world.logTail())")

    #expect(await !world.command(["dead-letters", "replay", "--all", "--ramp", "--rate", "1000"]), "it stops by itself")
    #expect(try await world.number("SELECT count(*) FROM audit_log WHERE action = 'dead_letter.replay'") == 1, "at the first letter: \(world.logTail())")

    try await Self.execute("DROP TRIGGER refuse ON orders", in: world)
    let replay = await world.worker(["dead-letters", "replay", "--all", "--ramp", "--rate", "100000"])
    #expect(try await eventually(within: .seconds(60)) { try await world.number("SELECT count(*) FROM orders") >= 600 }, "\(world.logTail())")
    await replay.end(SIGKILL)
    let before = try await world.number("SELECT count(*) FROM audit_log WHERE action = 'dead_letter.replay'")
    #expect(before > 1 && before < Int64(Self.count))
    var most = 0
    // Two at once go on; what was claimed and not published is free after 30 s.
    #expect(
      try await eventually(within: .seconds(300)) {
        let one = await world.worker(["dead-letters", "replay", "--all"])
        async let other = world.command(["dead-letters", "replay", "--all", "--rate", "5000"])
        while one.isRunning {
          most = max(most, one.peakMemory ?? 0)
          try await Task.sleep(for: .milliseconds(20))
        }
        _ = await other
        return try await world.number("SELECT count(*) FROM dead_letters WHERE state <> 'resolved'") == 0
      }, "\(world.logTail())")
    #expect(try await world.number("SELECT count(*) FROM orders") == Int64(Self.count), "each took effect")
    #expect(try await world.number("SELECT reserved FROM inventory") == Int64(Self.count), "and once")
    #expect(most > 0 && most < 128 << 20, "however many there are: \(most >> 20) MiB")
    print("dead letters: \(Self.count) listed by error in \(fastest), replayed with \(most >> 20) MiB at most")
    #expect(worker.isRunning, "\(world.logTail())")
    await worker.end()
    try await world.remove()
  }
}
