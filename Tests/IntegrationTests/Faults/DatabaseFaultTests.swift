import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// PostgreSQL goes away in the middle of the flow and comes back: consuming stops, nothing is counted, and all is done once.
@Suite(.serialized, .enabled(if: PrivatePostgres.isInstalled)) struct DatabaseFaultTests {
  private static let count = 600

  /// SIGINT ends its sessions and closes it in order, SIGQUIT leaves at once.
  @Test(.timeLimit(.minutes(3)), arguments: [SIGINT, SIGQUIT])
  func aDatabaseThatIsDownStopsConsumingAndNothingIsCountedOrDoneTwice(signal: Int32) async throws {
    var (database, server) = try #require(await PrivatePostgres.start())
    let world = try await Self.world(database)
    try await world.setStock(["p": 1_000_000])
    let worker = await world.worker(["run", "--http-port", "0"])
    let flow = try await CommandFlow(world)
    let commands = (0..<Self.count).map { flow.create($0) }
    let sending = Task { await flow.send(commands, perSecond: 150) }
    #expect(await eventually { flow.events.count > 100 }, "\(world.logTail())")
    await server.end(signal)
    #expect(await eventually { world.printed.contains(#""state":"down""#) }, "\(world.logTail())")
    let before = flow.eventIDs.count
    try await Task.sleep(for: .seconds(3))
    #expect(flow.eventIDs.count - before <= 100 && flow.eventIDs.count < Self.count, "nothing is done without the database")
    #expect(try await world.depth("dead-letter") == 0 && worker.isRunning)
    server = await database.start()
    #expect(await sending.value)

    let done = await eventually(within: .seconds(60)) { flow.eventIDs.count == Self.count && flow.acceptedIDs.count == Self.count }
    #expect(done, "\(flow.eventIDs.count) events, \(flow.acceptedIDs.count) answers: \(world.logTail())")
    #expect(try await world.number("SELECT count(*) FROM orders WHERE version = 1") == Int64(Self.count))
    #expect(try await world.number("SELECT count(*) FROM processed_commands WHERE outcome = 'accepted'") == Int64(Self.count))
    #expect(try await world.number("SELECT reserved FROM inventory") == Int64(Self.count))
    for queue in ["dead-letter", "retry.1s", "retry.5s", "retry.30s"] { #expect(try await world.depth(queue) == 0, "\(queue)") }
    #expect(!world.printed.contains("retry ladder") && !world.printed.contains("tried again in place") && !world.printed.contains("dead-lettered"))
    #expect(worker.isRunning)
    await worker.end()
    #expect(try await world.depth("commands") == 0)
    await flow.close()
    try await world.remove()
    await server.end(SIGQUIT)
    await database.remove()
  }

  /// Set up once the server takes connections.
  private static func world(_ database: PrivatePostgres) async throws -> ProductWorld {
    var made: ProductWorld?
    let ready = await eventually {
      made = try? await ProductWorld.make(["ORDERS_DATABASE_URL": database.url])
      return made != nil
    }
    #expect(ready)
    return try #require(made)
  }
}
