import ClientRuntime
import Glibc
import RabbitMQClient
import TestSupport
import Testing

/// SIGTERM in the middle of the work: it is finished, nothing is done twice, and no message is counted against.
@Suite(.serialized) struct DrainTests {
  /// `DRAIN_STOPS=n` stops more often, or less.
  private static let stops = getenv("DRAIN_STOPS").flatMap { Int(String(cString: $0)) } ?? 20
  private static let grace = 15

  @Test(.timeLimit(.minutes(5))) func aWorkerUnderFullLoadFinishesWhatItHasInHandWheneverItIsStopped() async throws {
    var random = SeededGenerator.forTest("drain")
    let world = try await ProductWorld.make(["ORDERS_DRAIN_TIMEOUT": "\(Self.grace)s"])
    let load = try await FullLoad(world)
    async let loading: Void = load.run()
    for stop in 1...Self.stops {
      // Not `answered`: answers to what the worker before settled may still be on their way.
      let before = world.stopReports.reduce(0) { $0 + $1.settled }
      load.goOn()
      let worker = await world.worker()
      #expect(await eventually(within: .seconds(60)) { load.answered > before }, "stop \(stop): \(world.logTail())")
      try await Task.sleep(for: .milliseconds(Int.random(in: 0...400, using: &random)))
      await worker.end()
      #expect(worker.exitCode == 0, "stop \(stop): \(world.logTail())")
      let reports = world.stopReports
      let report = try #require(reports.count == stop ? reports.last : nil, "stop \(stop): \(world.logTail())")
      #expect(report.returned == 0 && report.abandoned == 0 && report.milliseconds < Self.grace * 1_000, "stop \(stop): \(report)")
      // What is neither settled nor ready would be a delivery without an owner.
      #expect(await load.pause())
      let left = load.confirmed - reports.reduce(0) { $0 + $1.settled }
      var ready = -1
      let hasOwners = try await eventually {
        ready = try await world.depth("commands")
        return ready == left
      }
      #expect(hasOwners, "stop \(stop): \(ready) ready, not \(left)")
    }
    load.end()
    await loading
    let settled = world.stopReports.reduce(0) { $0 + $1.settled }
    #expect(await eventually { load.answered == settled && load.events == settled }, "\(load.answered) answers, \(load.events) events, \(settled) settled")
    #expect(load.repeatedAnswers == 0 && load.otherAnswers.isEmpty, "\(load.otherAnswers.prefix(3))")
    // The relay tells of what it sent once it is confirmed, which listeners may hear of before.
    #expect(await eventually { load.repeatedEvents <= world.relayedEvents }, "the stops repeated \(load.repeatedEvents - world.relayedEvents) events")
    #expect(try await world.number("SELECT count(*) FROM orders") == Int64(settled))
    try await Self.expectNoneToBeCountedAgainst(world, load.confirmed - settled)
    // After what set-up says; workers write nothing but lines of JSON.
    let foreign = world.printed.split(separator: "\n").drop { !$0.hasPrefix("{") }.filter { !$0.hasPrefix("{") }
    #expect(foreign.isEmpty, "what a library complains of while the worker ends")
    let times = world.stopReports.map(\.milliseconds).sorted()
    print(
      """
      drain: \(Self.stops) stops under load, \(settled) commands done and \(load.confirmed - settled) left; \
      \(world.stopReports.reduce(0) { $0 + $1.finished }) finished while stopping, in \(times[0]) to \(times.last!) ms (median \(times[times.count / 2])); \
      repeated answers \(load.repeatedAnswers), repeated events \(load.repeatedEvents), of which by the relay up to \(world.relayedEvents)
      """)
    await load.close()
    try await world.remove()
  }

  @Test(.timeLimit(.minutes(5))) func aRollingRestartOfThreeWorkersUnderLoadLosesAndRepeatsNothing() async throws {
    let world = try await ProductWorld.make(["ORDERS_DRAIN_TIMEOUT": "\(Self.grace)s"])
    let load = try await FullLoad(world)
    var workers: [ServerProcess] = []
    for _ in 0..<3 { workers.append(await world.worker()) }
    #expect(await world.connections(reach: 3), "\(world.logTail())")
    async let loading: Void = load.run()
    for index in 0..<workers.count {
      let before = load.answered
      #expect(await eventually { load.answered > before + 1_000 }, "\(world.logTail())")
      await workers[index].end()
      #expect(workers[index].exitCode == 0)
      workers[index] = await world.worker()
      #expect(await world.connections(reach: 4 + index), "\(world.logTail())")
    }
    load.end()
    await loading
    let count = load.confirmed
    #expect(await eventually(within: .seconds(60)) { load.answered == count && load.events == count }, "\(load.answered) of \(count): \(world.logTail())")
    #expect(load.repeatedAnswers == 0 && load.otherAnswers.isEmpty, "\(load.otherAnswers.prefix(3))")
    // The relay tells of what it sent once it is confirmed, which listeners may hear of before.
    #expect(await eventually { load.repeatedEvents <= world.relayedEvents }, "the stops repeated \(load.repeatedEvents - world.relayedEvents) events")
    for worker in workers { await worker.end() }
    let reports = world.stopReports
    #expect(reports.count == 6 && reports.allSatisfy { $0.returned == 0 && $0.abandoned == 0 }, "\(reports)")
    #expect(reports.reduce(0) { $0 + $1.settled } == count)
    for queue in ["commands", "dead-letter", "retry.1s", "retry.5s", "retry.30s"] { #expect(try await world.depth(queue) == 0, "\(queue)") }
    #expect(try await world.number("SELECT count(*) FROM orders") == Int64(count))
    print(
      """
      rolling restart: \(count) commands, answers \(load.answered), repeated \(load.repeatedAnswers), \
      events \(load.events), repeated \(load.repeatedEvents), \
      of which by the relay up to \(world.relayedEvents)
      """
    )
    await load.close()
    try await world.remove()
  }

  enum Database: CaseIterable, Sendable { case away, silent }

  /// A database that is away lets go at once; one that says nothing more is waited for until the time is over.
  @Test(.timeLimit(.minutes(2)), arguments: Database.allCases)
  func withoutADatabaseWhatIsInHandGoesBackAndTheWorkerEndsInTime(database: Database) async throws {
    let proxy = TCPProxy(to: try Self.port(of: Stack.databaseURL))
    let world = try await ProductWorld.make(["ORDERS_DRAIN_TIMEOUT": database == .away ? "20s" : "2s"])
    try await world.setStock(["p": 1_000])
    let flow = try await CommandFlow(world)
    let worker = await world.worker(["run", "--database-url", try Self.through(proxy, Stack.databaseURL)])
    #expect(await flow.send([flow.create(0)]))
    #expect(await eventually { flow.acceptedIDs.count == 1 }, "\(world.logTail())")
    if database == .away { proxy.close() } else { proxy.becomeBlackHole() }
    #expect(await flow.send((1...100).map { flow.create($0) }))
    #expect(try await eventually { try await world.depth("commands") == 0 }, "they are in hand")
    if database == .away { #expect(await eventually { world.printed.contains("consuming stops") }, "\(world.logTail())") }
    await worker.end()
    #expect(worker.exitCode == 0)
    let report = try #require(world.stopReports.last, "\(world.logTail())")
    #expect(report.settled == 1 && report.finished == 0)
    #expect(
      database == .away ? report.returned == 100 && report.milliseconds < 15_000 : report.abandoned == 100 && (2_000..<4_000) ~= report.milliseconds,
      "\(report)")
    #expect(try await eventually { try await world.depth("commands") == 100 }, "and nobody keeps them")
    let next = await world.worker()
    #expect(await eventually { flow.acceptedIDs.count == 101 }, "\(world.logTail())")
    await next.end()
    #expect(try await world.depth("dead-letter") == 0)
    proxy.close()
    await flow.close()
    try await world.remove()
  }

  @Test(.timeLimit(.minutes(2))) func aSecondSignalEndsAWorkerThatWaitsForItsDatabase() async throws {
    let proxy = TCPProxy(to: try Self.port(of: Stack.databaseURL))
    let world = try await ProductWorld.make()
    let flow = try await CommandFlow(world)
    let worker = await world.worker(["run", "--database-url", try Self.through(proxy, Stack.databaseURL)])
    #expect(await flow.send([flow.create(0)]))
    #expect(await eventually { flow.replies.count == 1 }, "\(world.logTail())")
    proxy.becomeBlackHole()
    #expect(await flow.send([flow.create(1)]))
    #expect(try await eventually { try await world.depth("commands") == 0 })
    worker.signal(SIGTERM)
    #expect(await eventually { world.printed.contains("stop requested") })
    worker.signal(SIGTERM)
    #expect(await eventually(within: .seconds(2)) { worker.exitCode == 128 + SIGTERM }, "\(worker.exitCode ?? -1)")
    proxy.close()
    await flow.close()
    try await world.remove()
  }

  /// Takes what is left in the queue: none of it was delivered before, or it would say so.
  private static func expectNoneToBeCountedAgainst(_ world: ProductWorld, _ count: Int) async throws {
    let rest = await DeliveryLog(
      Consumer(configuration: try world.configuration("rest"), subscription: .queue("\(world.name).commands"), prefetch: 2_000))
    #expect(await eventually { rest.count == count })
    let counted = rest.all.count { $0.delivery.redelivered || ($0.delivery.header("x-delivery-count") ?? .int64(0)) != .int64(0) }
    #expect(counted == 0, "\(counted) messages were delivered before")
    await rest.close()
  }

  private static func port(of url: String) throws -> UInt16 {
    try #require(url.split(separator: "@").last?.split(separator: "/").first?.split(separator: ":").last.flatMap { UInt16($0) })
  }

  private static func through(_ proxy: TCPProxy, _ url: String) throws -> String { url.replacing(":\(try port(of: url))/", with: ":\(proxy.port)/") }
}
