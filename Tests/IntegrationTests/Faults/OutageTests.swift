import Foundation
import TestSupport
import Testing

/// Broker and database really end and are started again, with the cache away all the while: nothing is counted for it, and work goes on soon.
@Suite struct OutageTests {
  /// `OUTAGE_SECONDS=n` is how long each lasts.
  private static let seconds = ProcessInfo.processInfo.environment["OUTAGE_SECONDS"].flatMap { Int($0) } ?? 8
  private static let rate = 40
  /// From the moment at which the servers take connections again to the first command that is done, in milliseconds.
  private static let longest = 5_000

  @Test(.timeLimit(.minutes(15))) func longOutagesCountForNothingAndWorkGoesOnWithin5Seconds() async throws {
    let folder = ProcessInfo.processInfo.environment["OUTAGE_STACK"] ?? "/tmp/order-worker-\(Stack.uniqueName("outage"))"
    let stack = try await PrivateStack.start([.rabbitmq, .postgres], folder: folder)
    let world = try await ProductWorld.make([
      "ORDERS_AMQP_URL": stack.url(.rabbitmq), "ORDERS_DATABASE_URL": stack.url(.postgres), "ORDERS_REDIS_URL": "redis://127.0.0.1:\(freePort())",
      "ORDERS_BATCH_MAX": "50",
    ])
    try await world.setStock(["p": 1_000_000])
    let worker = await world.worker()
    #expect(await world.connections(reach: 1), "\(world.logTail())")
    let sender = try PatientSender(world)
    async let fed: Void = sender.run(perSecond: Self.rate)
    #expect(try await eventually { try await world.number(Self.accepted) > 0 }, "\(world.logTail())")

    try await Self.outage(of: [.rabbitmq], "broker", stack, world) { try await stack.stop([.rabbitmq]) }
    #expect(await world.connections(reach: 2), "\(world.logTail())")
    try await Self.outage(of: [.postgres], "database", stack, world) { try await stack.stop([.postgres]) }
    #expect(world.connections == 2, "without a database the deliveries stay in hand: \(world.logTail())")
    try await Self.outage(of: [.rabbitmq, .postgres], "broker and database", stack, world) { await stack.kill([.rabbitmq, .postgres]) }

    sender.end()
    await fed
    let count = Int64(sender.confirmed)
    let done = try await eventually(within: .seconds(120)) {
      let (accepted, unsent) = (try await world.number(Self.accepted), try await world.number("SELECT count(*) FROM outbox"))
      return accepted >= count && unsent == 0
    }
    #expect(done, "\(world.logTail())")
    #expect(try await world.number("SELECT count(*) FROM processed_commands") == count)
    #expect(try await world.number("SELECT count(*) FROM orders WHERE version = 1") == count)
    #expect(try await world.number("SELECT reserved FROM inventory") == count)
    for queue in ["dead-letter", "retry.1s", "retry.5s", "retry.30s"] { #expect(try await world.depth(queue) == 0, "\(queue)") }
    for sign in ["retry ladder", "tried again in place", "dead-lettered", "tried alone"] { #expect(!world.printed.contains(sign), "\(sign)") }
    #expect(!world.printed.contains(#""dependency":"redis","detail":"Redis"#))
    #expect(worker.isRunning)
    await worker.end()
    #expect(worker.exitCode == 0)
    print("outages: \(count) commands, each done once; no attempt counted, no dead letter, the cache away all the while")
    try await world.remove()
    await stack.remove()
  }

  private static let accepted = "SELECT count(*) FROM processed_commands WHERE outcome = 'accepted'"

  private static func outage(
    of servers: [PrivateStack.Server], _ name: String, _ stack: PrivateStack, _ world: ProductWorld, _ end: () async throws -> Void
  ) async throws {
    try await end()
    try await Task.sleep(for: .seconds(Self.seconds))
    let starting = Task { try await stack.start(servers) }
    let isBack = await eventually(within: .seconds(120)) { servers.allSatisfy(stack.listens) }
    let back = Int64(Date.now.timeIntervalSince1970 * 1_000)
    #expect(isBack)
    let first = "SELECT (extract(epoch FROM min(processed_at)) * 1000)::bigint FROM processed_commands WHERE processed_at > to_timestamp(\(back) / 1000.0)"
    #expect(try await eventually { try await world.number(first) > 0 }, "\(name): \(world.logTail())")
    let resumed = Int(try await world.number(first) - back)
    print("outages: \(name) away for \(Self.seconds) s and longer, work resumed \(resumed) ms after the return")
    #expect(resumed <= Self.longest, "\(name): \(resumed) ms")
    try await starting.value
  }
}
