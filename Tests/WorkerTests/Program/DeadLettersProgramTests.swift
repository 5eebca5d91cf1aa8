import Foundation
import RabbitMQClient
import TestSupport
import Testing

/// The operator's commands about dead letters, as the built program answers them.
@Suite(.enabled(if: ServerWorld.isThere)) struct DeadLettersProgramTests {
  private static let ids = ["3a6eb890-697e-5c95-a6a4-2003917a20c0", "3a6eb891-0000-5c95-a6a4-2003917a20c0", "6eba90b6-3a96-5d70-aa4d-e106ca10ff22"]

  private static func row(_ id: String, message: String, reason: String, body: String, principal: String = "NULL", state: String = "parked") -> String {
    """
    INSERT INTO dead_letters (tenant_id, id, message_id, type, reason, error, error_pattern, attempts, state, body, body_size, body_sha256, headers,
                              properties, principal, history, first_failed_at, failed_at)
    VALUES ('default', '\(id)', '\(message)', 'order.create', '\(reason)',
            'customer_id must be a string, and this sentence is longer than any terminal of eighty columns has room for in its last column, by far',
            'customer_id must be a string', 1, '\(state)', convert_to('\(body)', 'UTF8'), \(body.utf8.count), sha256(convert_to('\(body)', 'UTF8')),
            '{"mine": "kept", "x-reason": "\(reason)"}', '{"exchange": "e", "routing_key": "order.create"}', \(principal),
            '[{"at": "2026-11-25T09:43:59.683329Z", "what": "failed as \(reason)", "actor": "w:1"}]', now() - interval '3 hours', now() - interval '3 hours');
    """
  }

  private static func fill(_ world: ServerWorld) async throws {
    let sender = #"'{"sub":"anonymous","roles":["operator"],"tenant":"default"}'"#
    try await world.sql(
      row(ids[0], message: "m-1", reason: "invalid", body: #"{"customer_id":5,"payment_method":"pm_secret"}"#, principal: sender)
        + row(ids[1], message: "m-2", reason: "invalid", body: #"{"customer_id":6}"#, principal: sender)
        + row(ids[2], message: "m-3", reason: "malformed", body: "{"))
  }

  @Test func tablesFitTheTerminal() async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      for columns in [80, 160] {
        var environment = world.environment
        environment["COLUMNS"] = "\(columns)"
        for arguments in [["list"], ["list", "--by", "error"], ["show", Self.ids[0]]] {
          let result = try await Program.run(["dead-letters"] + arguments, environment: environment)
          #expect(result.code == 0 && result.output.split(separator: "\n").allSatisfy { $0.count <= columns }, "\(result.output)")
        }
        let list = try await Program.run(["dead-letters", "list"], environment: environment).output
        #expect(list.contains("invalid") && list.contains("malformed") && list.contains("customer_id must"))
        #expect(list.contains(Self.ids[0]) == (columns == 160) && list.contains(columns == 80 ? "3h" : "Z  "))
      }
    }
  }

  @Test(arguments: [
    (["--since", "4h"], 3), (["--since", "2h"], 0), (["--since", "2020-01-01T00:00:00Z"], 3), (["--since", "2100-01-01T00:00:00.000001Z"], 0),
    (["--error", "this sentence"], 3), (["--error", "customer_id must be a string"], 3), (["--error", "no such thing"], 0),
    (["--error", "this sentence", "--reason", "malformed"], 1),
  ]) func whatIsFilteredIsWhatIsMeant(arguments: [String], count: Int) async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      let list = try await Program.run(["dead-letters", "list", "--json"] + arguments, environment: world.environment)
      #expect(list.output.contains(#""count":\#(count),"#), "\(list.errors)")
    }
  }

  @Test func whatTheBrokerDoesNotTakeIsToldWithItsReasonAndStaysParked() async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      try await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in try session.deleteQueue("\(world.prefix).commands") }
      let replay = try await world.run("dead-letters", "replay", "--reason", "invalid")
      #expect(replay.code == 1 && replay.output == "2 matched, 0 replayed, 0 skipped, 2 failed\n")
      #expect(replay.errors.contains("RabbitMQ does not take them: there is no such queue, NO_ROUTE (312)"), "\(replay.errors)")
      #expect(try await world.run("dead-letters", "list", "--state", "parked", "--json").output.contains(#""count":3,"#))
      #expect(try await world.run("dead-letters", "show", Self.ids[0]).output.contains("not replayed: RabbitMQ did not confirm it"))
    }
  }

  /// Nobody works here, so that a ramp waits for its first letter.
  @Test func aReplayThatIsInterruptedSaysHowFarItIsAndHowToGoOn() async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      let files = try Program.Files()
      let process = try world.start("dead-letters", "replay", "--reason", "invalid", "--ramp", files: files)
      #expect(await eventually { files.errors.contains("1 of 2 replayed, 0 skipped, 0 failed, 1 still under way") }, "\(files.errors)")
      kill(process.processIdentifier, SIGINT)
      #expect(await eventually { !process.isRunning })
      #expect(process.terminationStatus == 1 && files.errors.contains("interrupted: call it again to go on"), "\(files.errors)")
      #expect(files.output == "2 matched, 1 replayed, 0 skipped, 0 failed, 1 still under way\n")
      files.remove()
    }
  }

  @Test(arguments: [[], ["--json"]]) func aReplayWhoseDatabaseGoesAwaySaysHowFarItIsAndHowToGoOn(format: [String]) async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      let database = try #require(URL(string: Stack.databaseURL)?.port)
      let proxy = TCPProxy(to: UInt16(database))
      var environment = world.environment
      environment["ORDERS_DATABASE_URL"] = Stack.databaseURL.replacing(":\(database)/", with: ":\(proxy.port)/")
      let arguments = ["dead-letters", "replay", "--reason", "invalid", "--ramp"] + format
      let files = try Program.Files()
      let process = try Program.start(arguments, environment: environment, files: files)
      #expect(await eventually { files.errors.contains("1 still under way") }, "\(files.errors)")
      proxy.close()
      #expect(await eventually { !process.isRunning })
      #expect(process.terminationStatus == 1 && files.errors.contains("stopped: "), "\(files.errors)")
      #expect(files.errors.contains(": call it again to go on"), "\(files.errors)")
      if format.isEmpty {
        #expect(files.output == "2 matched, 1 replayed, 0 skipped, 0 failed, 1 still under way\n")
      } else {
        let answer = try #require(try JSONSerialization.jsonObject(with: Data(files.output.utf8)) as? [String: Any], "\(files.output)")
        #expect(answer["matched"] as? Int == 2 && answer["replayed"] as? Int == 1)
      }
      files.remove()
    }
  }

  @Test func jsonIsWhatTheSchemaDescribesAndHidesPaymentMethods() async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      let list = try await world.run("dead-letters", "list", "--reason", "invalid", "--json")
      let answer = try #require(try JSONSerialization.jsonObject(with: Data(list.output.utf8)) as? [String: Any])
      #expect(answer["count"] as? Int == 2 && (answer["dead_letters"] as? [Any])?.count == 2 && !list.output.contains("pm_secret"))
      let groups = try await world.run("dead-letters", "list", "--by", "reason", "--json")
      #expect(groups.output.contains(#"{"reason":"invalid","count":2,"#) && groups.output.contains(#""by":"reason""#))
      let exported = try await world.run("dead-letters", "export")
      #expect(exported.output.split(separator: "\n").count == 3 && !exported.output.contains("pm_secret"))
      let schema = try #require(try JSONSerialization.jsonObject(with: Data(contentsOf: Self.schema)) as? [String: Any])
      let required = Set(try #require(schema["required"] as? [String]))
      for line in exported.output.split(separator: "\n") {
        let letter = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(required.isSubset(of: letter.keys) && letter["tenant_id"] as? String == "default")
      }
    }
  }

  private static let schema = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../../schemas/dead-letter.json")

  @Test func whatIsRevealedIsToldInTheAuditLog() async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      #expect(try await world.run("dead-letters", "show", Self.ids[0]).output.contains("(masked)"))
      #expect(try await world.run("dead-letters", "show", Self.ids[0], "--reveal", "--json").output.contains("pm_secret"))
      #expect(try await world.run("dead-letters", "export", "--reveal").output.contains("pm_secret"))
      try await world.sql(
        """
        DO $$ BEGIN
          ASSERT (SELECT array_agg(action || ' ' || message_id ORDER BY at) FROM audit_log)
                 = ARRAY['dead_letter.reveal m-1', 'dead_letter.reveal dead-letters'];
        END $$
        """)
    }
  }

  @Test func aBeginningOfAnIdNamesALetterWhereItNamesOnlyOne() async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      #expect(try await world.run("dead-letters", "show", "6EBA").output.contains("m-3"))
      let several = try await world.run("dead-letters", "show", "3a6e")
      #expect(several.code == 1 && several.errors.contains("several"))
      let none = try await world.run("dead-letters", "show", "ffff")
      #expect(none.code == 1 && none.errors.contains("no dead letter ffff"))
    }
  }

  @Test(arguments: [
    (["replay"], 64, "Say which"), (["discard"], 64, "Say which"), (["replay", "3a6eb890", "--all"], 64, "do not go with"), (["show", "xyz"], 64, "xyz"),
    (["replay", "--all", "--dry-run", "--ramp"], 64, "--dry-run"), (["replay", "--all", "--rate", "0"], 64, "--rate"), (["list", "--by", "x"], 64, "--by"),
    (["list", "--limit", "0"], 64, "--limit"), (["list", "--since", "yesterday"], 64, "--since"), (["replay", "--all", "--edit", "[{]"], 1, "--edit"),
    (["replay", "--all", "--edit", "no-such-file"], 1, "cannot be read"),
  ]) func whatIsWronglyAskedIsNotDone(arguments: [String], code: Int32, word: String) async throws {
    let result = try await Program.run(["dead-letters"] + arguments, environment: ["ORDERS_AUTH": "off"])
    #expect(result.code == code && result.errors.contains(word), "\(result.errors)")
  }

  @Test func beforeSetupItSaysWhatIsMissing() async throws {
    let world = ServerWorld()
    let result = try await world.run("dead-letters", "list")
    #expect(result.code == 1 && result.errors.contains("order-worker setup"))
  }

  @Test func aDryRunJudgesAndAnEditIsJudgedAsItWouldGo() async throws {
    try await ServerWorld.with { world in
      try await Self.fill(world)
      _ = try await world.run("stock", "set", "p", "10")
      let asIs = try await world.run("dead-letters", "replay", "--reason", "invalid", "--dry-run", "--json")
      #expect(asIs.code == 0 && asIs.output.contains(#""matched":2,"replayed":0,"skipped":2,"failed":0"#) && asIs.output.contains(#""verdict":"illegal""#))
      let patch =
        #"[{"op":"replace","path":"/customer_id","value":"c"},{"op":"add","path":"/items","value":[{"product_id":"p","quantity":1,"unit_price":1}]}]"#
      let edited = try await world.run("dead-letters", "replay", Self.ids[0], "--dry-run", "--edit", patch)
      #expect(edited.output == "1 matched, 1 applies\n")
      let nobody = try await world.run("dead-letters", "replay", Self.ids[2], "--dry-run")
      #expect(nobody.output == "1 matched, 1 illegal\n" && nobody.errors.contains("--as-me"))
    }
  }
}
