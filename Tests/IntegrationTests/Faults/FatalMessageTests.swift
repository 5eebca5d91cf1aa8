import ClientRuntime
import Glibc
import PostgresClient
import TestSupport
import Testing

/// A message over which one worker dies after the other goes to the dead letters; what was delivered beside it is done.
@Suite struct FatalMessageTests {
  @Test(.timeLimit(.minutes(3))) func aMessageThatKillsWorkersIsToldFromItsBystanders() async throws {
    let world = try await ProductWorld.make()
    try await world.setStock(["p": 200, "fatal": 10])
    // Whoever touches it waits, and is killed meanwhile.
    let lock = PostgresClient(
      configuration: try PostgresConfiguration(url: Stack.databaseURL, applicationName: "lock", schema: world.name))
    let phase = Locked("")
    async let holding: Void = lock.run(deadline: .after(.seconds(120))) { session throws(PostgresError) in
      try session.execute("SET idle_in_transaction_session_timeout = 0; BEGIN; SELECT FROM inventory WHERE product_id = 'fatal' FOR UPDATE")
      phase.withLock { $0 = "held" }
      let end = Deadline.after(.seconds(110))
      while phase.withLock({ $0 }) == "held" && !end.hasPassed { usleep(10_000) }
      try session.execute("ROLLBACK")
    }
    #expect(await eventually { phase.withLock { $0 } == "held" })
    let flow = try await CommandFlow(world)
    let fatal = world.publication(ProductWorld.create([("fatal", 1)]), id: "fatal")
    #expect(await flow.send((1...100).map { flow.create($0) } + [fatal] + (101...200).map { flow.create($0) }))
    let waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE '%\(world.name)%'"
    for death in 1...5 {
      let worker = await world.worker(["run", "--roles", "commands,outbox"])
      #expect(try await eventually { try await world.number(waiting) == 1 }, "life \(death): \(world.logTail())")
      #expect(try await world.number("SELECT count(*) FROM delivery_trials") == max(0, Int64(death) - 3), "life \(death)")
      await worker.end(SIGKILL)
      _ = try await world.number(
        "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND application_name LIKE '%\(world.name)%'")
      #expect(try await eventually { try await world.number(waiting) == 0 })
    }
    let worker = await world.worker(["run", "--roles", "commands,outbox"])
    let innocent = Set((1...200).map { "create-\($0)" })
    #expect(await eventually { flow.acceptedIDs == innocent }, "\(world.logTail())")
    #expect(try await eventually { try await world.depth("dead-letter") == 1 })
    #expect(try await world.depth("commands") == 0 && world.printed.contains(#""reason":"delivery_limit""#))
    phase.withLock { $0 = "over" }
    try await holding
    await worker.end()

    let mended = await world.worker(["run", "--roles", "commands,outbox,dead-letters"])
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE reason = 'delivery_limit'") == 1 }, "\(world.logTail())")
    #expect(await world.command(["dead-letters", "replay", "--reason", "delivery_limit", "--ramp"]), "\(world.logTail())")
    #expect(try await world.number("SELECT count(*) FROM orders") == 201, "under its sender's name, and nothing is held against it any more")
    #expect(try await eventually { try await world.number("SELECT count(*) FROM dead_letters WHERE state = 'resolved'") == 1 })
    await mended.end()
    await flow.close()
    await lock.close()
    try await world.remove()
  }
}
