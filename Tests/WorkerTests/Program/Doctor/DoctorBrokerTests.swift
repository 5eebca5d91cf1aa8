import Foundation
import RabbitMQClient
import TestSupport
import Testing

/// `doctor` before brokers that were broken by hand.
@Suite(.enabled(if: ServerWorld.isThere)) struct DoctorBrokerTests {
  private static let management = ["ORDERS_AMQP_MANAGEMENT_URL": BrokenBroker.url]

  @Test func aPolicyThatBeatsOverflowIsNamedWithItsQueues() async throws {
    try await ServerWorld.with { world async throws in
      try await BrokenBroker.withPolicy(world, queues: "(commands|retry)", #"{"overflow":"drop-head","max-length":1000}"#) {
        let (diagnosis, _) = try await Diagnosis.of(world, Self.management)
        diagnosis.expect(
          "problem", "rabbitmq", "policies", "policy \(world.prefix) sets overflow to drop-head for \(world.prefix).commands, ",
          mend: "rabbitmqctl clear_policy -p / \(world.prefix)")
        // That it takes nothing else from the queues is said, too, for each by itself.
        diagnosis.expect("warning", "rabbitmq", "policies", "sets max-length to 1000 for \(world.prefix).commands: beyond it", mend: "max-length out of it")
        let found = diagnosis.complaints(of: "rabbitmq").first { $0.found.contains("overflow") }?.found
        #expect(found?.contains("\(world.prefix).retry.10m") == true)
        #expect(found?.contains(".queries") == false && found?.contains(".dead-letter") == false)
      }
    }
  }

  @Test func whatThrowsDeadLettersAwayIsNamedAlsoAsAPolicyOfOperators() async throws {
    try await ServerWorld.with { world async throws in
      try await BrokenBroker.withPolicy(world, queues: "dead-letter$", #"{"message-ttl":3600000}"#, isOperators: true) {
        let (diagnosis, _) = try await Diagnosis.of(world, Self.management)
        diagnosis.expect(
          "problem", "rabbitmq", "policies", "operator policy \(world.prefix) sets message-ttl to 3600000 for \(world.prefix).dead-letter",
          mend: "rabbitmqctl clear_operator_policy -p / \(world.prefix)")
      }
      try await BrokenBroker.withPolicy(world, queues: "commands$", #"{"delivery-limit":3}"#) {
        let (diagnosis, _) = try await Diagnosis.of(world, Self.management)
        diagnosis.expect("problem", "rabbitmq", "policies", "sets delivery-limit to 3 for \(world.prefix).commands", mend: "clear_policy")
      }
    }
  }

  @Test func withoutTheManagementAPIThatIsNotChecked() async throws {
    try await ServerWorld.with { world async throws in
      try await BrokenBroker.withPolicy(world, queues: "commands", #"{"overflow":"drop-head"}"#) {
        let (diagnosis, code) = try await Diagnosis.of(world)
        #expect(code == 0, "\(diagnosis.complaints())")
        for check in ["policies", "queue types", "bindings", "feature flags", "nodes"] {
          diagnosis.expect("not checked", "rabbitmq", check, "management API", mend: "ORDERS_AMQP_MANAGEMENT_URL")
        }
      }
    }
  }

  @Test(arguments: [true, false]) func aQueueWithOtherArgumentsIsNamed(hasManagement: Bool) async throws {
    try await ServerWorld.with { world async throws in
      let queue = "\(world.prefix).retry.1s"
      try await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in
        try session.deleteQueue(queue)
        try session.declareQueue(queue, arguments: [Header(name: "x-queue-type", value: .string("quorum"))])
      }
      let (diagnosis, _) = try await Diagnosis.of(world, hasManagement ? Self.management : [:])
      diagnosis.expect("problem", "rabbitmq", "arguments", "queue \(queue) has other arguments", mend: "rabbitmqctl delete_queue \(queue)")
    }
  }

  @Test func missingQueuesAndBindingsAreNamed() async throws {
    try await ServerWorld.with { world async throws in
      let name = world.prefix
      try await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in try session.deleteQueue("\(name).queries") }
      try await BrokenBroker().delete("bindings/%2F/e/\(name).commands/q/\(name).commands/%23")
      let (diagnosis, _) = try await Diagnosis.of(world, Self.management)
      diagnosis.expect("problem", "rabbitmq", "exchanges and queues", "queue \(name).queries is missing", mend: "order-worker setup")
      diagnosis.expect("problem", "rabbitmq", "bindings", "queue \(name).commands is not bound", mend: "order-worker setup")
    }
  }

  /// A worker's user may not declare, and so cannot compare; nor may it see what only administrators do.
  @Test func aUserWithAWorkersRightsIsEnough() async throws {
    try await ServerWorld.with { world async throws in
      let (broker, name) = (try BrokenBroker(), world.prefix)
      await broker.put("users/\(name)", #"{"password":"pw","tags":"monitoring"}"#)
      await broker.put("permissions/%2F/\(name)", #"{"configure":"^$","write":"^(\#(name)\\.events|amq\\.default)$","read":"^\#(name)\\..*"}"#)
      let amqp = Stack.amqpURL.replacing("guest:guest", with: "\(name):pw")
      let alone = try await Diagnosis.of(world, ["ORDERS_AMQP_URL": amqp]).diagnosis
      alone.expectWell("rabbitmq", "exchanges and queues")
      alone.expect("not checked", "rabbitmq", "arguments", "may not declare", mend: "ORDERS_AMQP_MANAGEMENT_URL")
      let managed = try await Diagnosis.of(
        world, ["ORDERS_AMQP_URL": amqp, "ORDERS_AMQP_MANAGEMENT_URL": BrokenBroker.url.replacing("guest:guest", with: "\(name):pw")]
      ).diagnosis
      for check in ["arguments", "bindings", "queue types", "members", "nodes"] { managed.expectWell("rabbitmq", check) }
      managed.expect("not checked", "rabbitmq", "rights", "does not show it", mend: "administrator")
      // Policies are hidden from it, and each queue tells of its own by and by.
      try await BrokenBroker.withPolicy(world, queues: "commands", #"{"overflow":"drop-head"}"#) {
        let settings = ["ORDERS_AMQP_MANAGEMENT_URL": BrokenBroker.url.replacing("guest:guest", with: "\(name):pw")]
        let isNamed = try await eventually {
          let findings = try await Diagnosis.of(world, settings).diagnosis.findings
          return findings.contains { $0.check == "policies" && $0.found.contains("\(name) sets overflow to drop-head") }
        }
        #expect(isNamed)
      }
      // Seen by one who may.
      await broker.put("permissions/%2F/\(name)", #"{"configure":"^$","write":"^$","read":"^\#(name)\\..*"}"#)
      let narrow = try await Diagnosis.of(world, ["ORDERS_AMQP_URL": amqp].merging(Self.management) { $1 }).diagnosis
      narrow.expect("problem", "rabbitmq", "rights", "may not write \(name).events, nor write amq.default", mend: "rabbitmqctl set_permissions -p / \(name)")
      await broker.delete("users/\(name)")
    }
  }

  @Test func oneHostOfSeveralThatIsAwayIsNamedAndNoOther() async throws {
    try await ServerWorld.with { world async throws in
      let dead = freePort()
      let (diagnosis, _) = try await Diagnosis.of(world, ["ORDERS_AMQP_URL": Stack.amqpURL + ",127.0.0.1:\(dead)/"])
      diagnosis.expect("problem", "rabbitmq", "host", "127.0.0.1:\(dead)", mend: "out of ORDERS_AMQP_URL", at: "127.0.0.1:\(dead)")
      #expect(diagnosis.counts.problem == 1, "\(diagnosis.complaints())")
      let wrong = try await Diagnosis.of(world, ["ORDERS_AMQP_URL": Stack.amqpURL.replacing("guest:guest", with: "guest:s3cret")]).diagnosis
      wrong.expect("problem", "rabbitmq", "host", "refused", mend: "password")
      #expect(!wrong.findings.contains { $0.found.contains("s3cret") || $0.mend?.contains("s3cret") == true })
    }
  }

  @Test(.enabled(if: PrivateRabbitMQ.isInstalled && TestCertificates.isInstalled)) func aBrokersCertificateThatRunsOutIsNamed() async throws {
    let certificates = try await TestCertificates(days: 365)
    try await certificates.issue("broker", for: ["localhost"], days: 3, user: "postgres")
    let port = freePort()
    let server = try #require(
      try await PrivateRabbitMQ.start(configuration: [
        "listeners.ssl.1 = 127.0.0.1:\(port)", "ssl_options.cacertfile = \(certificates.certificate("authority"))",
        "ssl_options.certfile = \(certificates.certificate("broker"))", "ssl_options.keyfile = \(certificates.key("broker"))",
      ]))
    func url(_ authority: String, host: String = "localhost") -> [String: String] {
      ["ORDERS_AMQP_URL": "amqps://guest:guest@\(host):\(port)/?cacertfile=\(certificates.certificate(authority))"]
    }
    let trusted = try await Diagnosis.of(ServerWorld(url("authority"))).diagnosis
    let stranger = try await Diagnosis.of(ServerWorld(url("stranger"))).diagnosis
    let misnamed = try await Diagnosis.of(ServerWorld(url("authority", host: "127.0.0.1"))).diagnosis
    await server.remove()
    await certificates.remove()
    trusted.expect("problem", "rabbitmq", "certificate", "the certificate of broker runs out in 3 days", mend: "ssl_options.certfile")
    stranger.expect("problem", "rabbitmq", "host", "signed by no authority in", mend: "docs/tls.md")
    misnamed.expect("problem", "rabbitmq", "host", "not for 127.0.0.1, only for localhost", mend: "issued for the name")
  }

  @Test(.enabled(if: PrivateRabbitMQ.isInstalled)) func aMissingFeatureFlagIsNamed() async throws {
    let port = freePort()
    let server = try #require(
      try await PrivateRabbitMQ.start(
        configuration: ["management.tcp.ip = 127.0.0.1", "management.tcp.port = \(port)"], plugins: ["rabbitmq_management"],
        featureFlags: ["quorum_queue", "implicit_default_bindings", "virtual_host_metadata", "maintenance_mode_status", "user_limits"]))
    let world = ServerWorld([
      "ORDERS_AMQP_URL": "amqp://guest:guest@127.0.0.1:\(server.port)/", "ORDERS_AMQP_MANAGEMENT_URL": "http://guest:guest@127.0.0.1:\(port)",
    ])
    // It takes AMQP's connections sooner than those of its plugins.
    #expect(
      await eventually(within: .seconds(60)) { await LoopbackHTTP(port: port).ask("GET", "/api/overview", headers: [BrokenBroker.guest])?.status == 200 })
    let diagnosis = try await Diagnosis.of(world).diagnosis
    await server.remove()
    diagnosis.expect("problem", "rabbitmq", "feature flags", "stream_queue is disabled", mend: "rabbitmqctl enable_feature_flag stream_queue")
  }
}
