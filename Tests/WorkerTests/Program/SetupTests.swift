import RabbitMQAdapter
import RabbitMQClient
import Testing

@Suite(.enabled(if: ServerWorld.isThere)) struct SetupTests {
  @Test func setupMayBeRepeatedAndCheckFindsWhatIsMissing() async throws {
    try await ServerWorld.with { world async throws in
      #expect(try await world.run("setup").code == 0)
      #expect(try await world.run("setup", "--check").code == 0)
      let queue = "\(world.prefix).queries"
      try await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in try session.deleteQueue(queue) }
      let check = try await world.run("setup", "--check")
      #expect(check.code == 1)
      #expect(check.errors.contains("queue \(queue) is missing"))
      try await world.sql("DROP TABLE schema_migrations")
      #expect(try await world.run("setup", "--check").errors.contains("migration 1 orders is not applied"))
    }
  }

  @Test func workersSecretsAreNotMissed() async throws {
    try await ServerWorld.with(["ORDERS_PAYMENT_TOKEN_FILE": "/nowhere/token"]) { world async throws in
      #expect(try await world.run("setup").code == 0)
      #expect(try await world.run("setup", "--check").code == 0)
      #expect(try await world.run("run", "--print-config").code == 78)
    }
  }

  @Test func checkChangesNothing() async throws {
    let world = ServerWorld()
    #expect(try await world.run("setup", "--check").code == 1)
    let faults = try await Topology(prefix: world.prefix).faults(try world.connection)
    let missing = faults.filter(\.isMissing).count
    #expect(missing == 3 + 8)
  }

  @Test func manySetupsAtOnceAgree() async throws {
    try await ServerWorld.with { world async throws in
      try await world.sql("DROP SCHEMA \(world.prefix) CASCADE")
      try await withThrowingTaskGroup(of: Int32.self) { group in
        for _ in 0..<4 { group.addTask { try await world.run("setup").code } }
        for try await code in group { #expect(code == 0) }
      }
      #expect(try await world.run("setup", "--check").code == 0)
    }
  }

  @Test func aQueueWithOtherArgumentsIsNamed() async throws {
    try await ServerWorld.with { world async throws in
      let queue = "\(world.prefix).retry.1s"
      try await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in
        try session.deleteQueue(queue)
        try session.declareQueue(queue, arguments: [Header(name: "x-queue-type", value: .string("quorum"))])
      }
      let check = try await world.run("setup", "--check")
      #expect(check.code == 1)
      #expect(check.errors.contains("queue \(queue) has other arguments"))
      #expect(try await world.run("setup").code == 1)
    }
  }
}
