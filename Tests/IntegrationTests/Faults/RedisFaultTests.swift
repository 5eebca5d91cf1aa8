import ClientRuntime
import Glibc
import RabbitMQClient
import RedisClient
import TestSupport
import Testing

/// Redis stopped, emptied, paused and full under load: no command fails or waits, and the cache is right again afterwards.
@Suite(.serialized, .enabled(if: PrivateRedis.isInstalled)) struct RedisFaultTests {
  enum Fault: CaseIterable, Sendable {
    case awayFromTheStart, stopped, killed, emptied, paused, full
  }

  private static let creates = 1_600
  /// How long the fault lasts; a command that waited for Redis would wait as long.
  private static let lasting = Duration.seconds(8)
  /// From publication to event, on a machine that does other things too: nearly four seconds were seen on a slow one without any wait for Redis.
  private static let longest = Duration.seconds(6)

  @Test(.timeLimit(.minutes(3)), arguments: Fault.allCases)
  func commandsNeitherFailNorWaitAndTheCacheIsRightAfterwards(fault: Fault) async throws {
    let redis = PrivateRedis()
    var server = fault == .awayFromTheStart ? nil : await redis.start()
    let world = try await ProductWorld.make(["ORDERS_REDIS_URL": redis.url])
    try await world.setStock(["p": 1_000_000])
    let reader = try SnapshotReader(world, url: redis.url)
    let worker = await world.worker()
    let flow = try await CommandFlow(world)
    // The first one waits for the worker's start.
    #expect(await flow.send([flow.create(0)]))
    #expect(await eventually { flow.events.count == 1 }, "\(world.logTail())")

    // Every fifth command cancels an order of two hundred commands ago, whose snapshot the cache may have from before the fault.
    var commands: [Publication] = []
    for number in 1..<Self.creates {
      commands.append(flow.create(number))
      if number % 4 == 0, number > 160 { commands.append(flow.cancel(number - 160)) }
    }
    let cancelled = (1..<Self.creates).filter { $0 % 4 == 0 && $0 + 160 < Self.creates }
    let all = commands
    let sending = Task { await flow.send(all, perSecond: 300) }
    let watching = Task { await Self.aheadOfPostgres(reader) }
    #expect(await eventually { flow.events.count > 400 }, "\(world.logTail())")
    switch fault {
    case .awayFromTheStart: server = await redis.start()
    case .stopped, .killed:
      await server?.end(fault == .stopped ? SIGTERM : SIGKILL)
      try await Task.sleep(for: Self.lasting)
      server = await redis.start()
    case .emptied:
      for _ in 0..<10 {
        _ = try await reader.run(RedisCommand("FLUSHALL"))
        try await Task.sleep(for: Self.lasting / 10)
      }
    case .paused:
      server?.freeze()
      try await Task.sleep(for: Self.lasting)
      server?.thaw()
    case .full:
      _ = try await reader.run(RedisCommand("CONFIG", "SET", "maxmemory-policy", "noeviction"))
      _ = try await reader.run(RedisCommand("CONFIG", "SET", "maxmemory", "1000000"))
      #expect(try await reader.run(RedisCommand("SET", "one", "more")).errorText?.hasPrefix("OOM") == true)
      try await Task.sleep(for: Self.lasting)
      _ = try await reader.run(RedisCommand("CONFIG", "SET", "maxmemory", "0"))
    }
    #expect(await sending.value)
    let count = commands.count + 1
    #expect(await eventually(within: .seconds(30)) { flow.events.count >= count && flow.replies.count >= count }, "\(world.logTail())")
    #expect(flow.slowest < Self.longest, "the slowest command took \(flow.slowest)")
    #expect(flow.acceptedIDs.count == count && flow.eventIDs.count == count)
    #expect(try await world.depth("dead-letter") == 0 && worker.isRunning)

    // New commands are cached again, and what the cache missed is not there in an old version.
    try await Self.expectNewOrdersToBeCached(flow, reader, Self.creates..<Self.creates + 50)
    let ahead = await Self.end(watching)
    #expect(ahead.samples > 0 && ahead.found.isEmpty, "\(ahead.found.prefix(5))")
    try await Self.expectSnapshotsToAgree(flow, reader, cancelled: cancelled)
    await worker.end()
    await flow.close()
    await reader.close()
    await server?.end(SIGKILL)
    try await world.remove()
  }
}
