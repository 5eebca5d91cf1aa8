import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport
import Testing
import TokenSupport

/// The built worker with ORDERS_AUTH=required, attacked from outside.
@Suite(.enabled(if: ServerWorld.isThere)) struct AuthenticationProgramTests {
  private static let keys = [TokenForge.rsa("rsa-1"), .ec("ec-1"), .ed25519("ed-1")]
  private static let secret = "a secret of more than thirty-two bytes"
  private static let sealing = TokenForge(.secret(Array(repeating: 7, count: 32)), id: "seal-1")
  private static let claimed = #","iss":"https://login.test","aud":"orders""#

  private static func claims(
    sub: String = "shop", roles: String = #"["service"]"#, tenant: String? = nil, expiresIn: Double = 600, more: String = claimed
  ) -> String { TokenForge.claims(sub: sub, roles: roles, tenant: tenant, expiresIn: expiresIn, more: more) }

  /// A worker that verifies its senders, ready, and what it has been told.
  private static func withWorker(_ body: (ServerWorld) async throws -> Void) async throws {
    let (config, logs) = (try Program.Files(), try Program.Files())
    defer { [config, logs].forEach { $0.remove() } }
    let settings = [
      "ORDERS_AUTH": "required", "ORDERS_JWT_JWKS_FILE": try config.write(TokenForge.jwks(keys), to: "jwks.json"),
      "ORDERS_JWT_HMAC_SECRET_FILE": try config.write(secret + "\n", to: "secret"),
      "ORDERS_SIGNING_KEY_FILE": try config.write(TokenForge.jwks([sealing]), to: "sealing.json"), "ORDERS_JWT_ISSUER": "https://login.test",
      "ORDERS_JWT_AUDIENCE": "orders", "ORDERS_RETRY_RUNGS": "1s",
    ]
    try await ServerWorld.with(settings) { world in
      let process = try world.start("run", files: logs)
      let end: () async -> Void = {
        process.terminate()
        if await !eventually(within: .seconds(30), { !process.isRunning }) { kill(process.processIdentifier, SIGKILL) }
      }
      do {
        #expect(await eventually(within: .seconds(60)) { logs.errors.contains(#""dependency":"keys""#) && logs.errors.contains("health is served") })
        try await world.sql("INSERT INTO inventory (tenant_id, product_id, on_hand) VALUES ('default', 'p', 100), ('shop-b', 'p', 100)")
        try await body(world)
      } catch {
        await end()
        throw error
      }
      await end()
      for token in ["Bearer", "eyJ", secret] { #expect(!logs.errors.contains(token), "the log tells \(token)") }
    }
  }

  private static let order = #"{"customer_id":"c","items":[{"product_id":"p","quantity":1,"unit_price":1}]}"#

  /// The reply to one command.
  private static func send(
    _ world: ServerWorld, _ token: String?, id: String, type: String = "order.create", body: String = order
  ) async throws -> String {
    var environment = world.environment
    // The local key would sign.
    environment["ORDERS_JWT_HMAC_SECRET_FILE"] = nil
    let arguments = ["send", type, "-", "--wait", "--id", id, "--timeout", "20s"] + (token.map { ["--token", $0] } ?? [])
    return try await Program.run(arguments, environment: environment, input: body).output
  }

  @Test func tokensOfAllAlgorithmsAreTaken() async throws {
    try await Self.withWorker { world in
      let all = Self.keys + [TokenForge(.secret(Array(Self.secret.utf8)))]
      for (number, key) in all.enumerated() {
        let reply = try await Self.send(world, key.token(Self.claims()), id: "good-\(number)")
        #expect(reply.contains(#""outcome":"accepted""#), "\(key.key.algorithm): \(reply)")
      }
      // The program's own, by the secret.
      let own = try await world.run("send", "order.create", "-", "--wait", "--id", "own", "--role", "service", "--sub", "me", input: Self.order)
      #expect(own.output.contains(#""outcome":"accepted""#), "\(own.output)\(own.errors)")
      #expect(try await world.number("SELECT count(*) FROM audit_log WHERE outcome = 'accepted' AND actor IN ('shop', 'me')") == 5)
    }
  }

  @Test func nobodyGetsInWithAWrongToken() async throws {
    let rsa = Self.keys[0]
    let attacks: [(name: String, token: String?, reason: String)] = [
      ("no-token", nil, "unauthenticated"), ("empty", " ", "unauthenticated"),
      ("none", TokenForge.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + TokenForge.encode(Array(Self.claims().utf8)) + ".", "unauthenticated"),
      (
        "public-key", TokenForge(.secret(Array(rsa.publicPEM!.utf8))).token(Self.claims(), header: #"{"alg":"HS256","kid":"rsa-1"}"#), "unauthenticated"
      ),
      ("wrong-kid", TokenForge.rsa("rsa-2").token(Self.claims()), "unauthenticated"),
      ("wrong-key", TokenForge.rsa("rsa-1").token(Self.claims()), "unauthenticated"),
      ("issuer", rsa.token(Self.claims(more: #","iss":"https://evil.test","aud":"orders""#)), "unauthenticated"),
      ("audience", rsa.token(Self.claims(more: #","iss":"https://login.test","aud":"mail""#)), "unauthenticated"),
      ("expired", rsa.token(Self.claims(expiresIn: -61)), "unauthenticated"),
      ("early", rsa.token(Self.claims(more: Self.claimed + #","nbf":99999999999"#)), "unauthenticated"),
      ("giant", rsa.token(Self.claims(more: Self.claimed + #","x":""# + String(repeating: "a", count: 20_000) + #"""#)), "unauthenticated"),
      ("roles", rsa.token(Self.claims(roles: #""service""#)), "unauthenticated"),
      ("viewer", rsa.token(Self.claims(roles: #"["viewer"]"#)), "forbidden"), ("nobody", rsa.token(Self.claims(roles: "[]")), "forbidden"),
      ("admin", rsa.token(Self.claims(roles: #"["admin","root"]"#)), "forbidden"),
      ("other-customer", rsa.token(Self.claims(sub: "d", roles: #"["customer"]"#)), "forbidden"),
    ]
    try await Self.withWorker { world in
      for attack in attacks {
        let reply = try await Self.send(world, attack.token, id: "attack-\(attack.name)")
        #expect(reply.contains(#""outcome":"dead_lettered""#) && reply.contains(#""code":"\#(attack.reason)""#), "\(attack.name): \(reply)")
        #expect(reply.contains("token_expired") == (attack.name == "expired"))
      }
      #expect(try await world.number("SELECT (SELECT count(*) FROM orders) + (SELECT sum(reserved) FROM inventory)") == 0)
      for attack in attacks {
        let isWritten = await eventually(within: .seconds(20)) {
          (try? await world.number("SELECT count(*) FROM audit_log WHERE message_id = 'attack-\(attack.name)' AND outcome = '\(attack.reason)'")) == 1
        }
        #expect(isWritten, "\(attack.name) has no audit row")
      }
      #expect(try await world.number("SELECT count(*) FROM dead_letters WHERE headers ? 'authorization' OR headers::text LIKE '%eyJ%'") == 0)
      #expect(try await world.number("SELECT count(*) FROM dead_letters WHERE principal ->> 'token_expired' = 'true'") == 1)
    }
  }

  @Test func anothersOrderIsNotThere() async throws {
    try await Self.withWorker { world in
      let rsa = Self.keys[0]
      let reply = try await Self.send(world, rsa.token(Self.claims()), id: "mine")
      let order = try #require(reply.firstMatch(of: /"order_id":"([^"]+)"/)).1
      let stranger = rsa.token(Self.claims(sub: "eve", tenant: "shop-b"))
      let customer = rsa.token(Self.claims(sub: "eve", roles: #"["customer"]"#))
      let update = #"{"order_id":"\#(order)","status":"cancelled"}"#
      let unknown = #"{"order_id":"00000000-0000-4000-8000-000000000000","status":"cancelled"}"#
      async let replies = [
        try await Self.send(world, stranger, id: "x1", type: "order.update_status", body: update),
        try await Self.send(world, customer, id: "x2", type: "order.update_status", body: update),
        try await Self.send(world, stranger, id: "x3", type: "order.update_status", body: unknown),
        try await Self.send(world, stranger, id: "x4", type: "order.update_status", body: update.replacing("}", with: #","expected_version":1}"#)),
      ]
      for reply in try await replies { #expect(reply.contains(#""code":"not_found""#) && !reply.contains(#""version""#), "\(reply)") }
      for token in [stranger, customer] {
        for query in [["get", String(order)], ["history", String(order)]] {
          let answer = try await Program.run(query + ["--token", token], environment: world.environment)
          #expect(answer.code == 1 && answer.errors.contains("there is no order \(order)"), "\(answer)")
        }
      }
      let listed = try await Program.run(["list", "--customer", "c", "--json", "--token", stranger], environment: world.environment)
      #expect(listed.code == 0 && !listed.output.contains(order))
      let others = try await Program.run(["list", "--customer", "c", "--token", customer], environment: world.environment)
      #expect(others.code == 1 && others.errors.contains("own orders only"))
      #expect(try await world.number("SELECT count(*) FROM orders WHERE status = 'pending' AND version = 1") == 1)
    }
  }

  @Test func onlyAnOperatorHandlesStockAndDeadLetters() async throws {
    try await Self.withWorker { world in
      let service = Self.keys[0].token(Self.claims())
      let stranger = Self.keys[0].token(Self.claims(sub: "eve", roles: #"["operator"]"#, tenant: "shop-b"))
      for token in [service, stranger] {
        for act in [["stock", "set", "p", "5"], ["stock", "list"], ["dead-letters", "list"], ["dead-letters", "replay", "--all"]] {
          let result = try await Program.run(act + ["--token", token], environment: world.environment)
          #expect(result.code == 1 && (result.errors.contains("role operator") || result.errors.contains("not of default")), "\(act): \(result)")
        }
      }
      #expect(try await world.number("SELECT on_hand FROM inventory WHERE tenant_id = 'default'") == 100)
      let refused = "SELECT count(*) FROM audit_log WHERE outcome = 'forbidden' AND actor IN ('shop', 'eve')"
      #expect(try await world.number(refused) == 8)
      var environment = world.environment
      environment["ORDERS_JWT_HMAC_SECRET_FILE"] = nil
      let nobody = try await Program.run(["stock", "set", "p", "5"], environment: environment)
      #expect(nobody.code == 1 && nobody.errors.contains("nothing says who you are"))
      let wrong = try await Program.run(["stock", "set", "p", "5", "--token", "a.b.c"], environment: environment)
      #expect(wrong.code == 1 && wrong.errors.contains("you are not known"))
      let right = try await Program.run(
        ["stock", "set", "p", "50", "--token", Self.keys[1].token(Self.claims(sub: "olga", roles: #"["operator"]"#))], environment: environment)
      #expect(right.code == 0, "\(right.errors)")
    }
  }

  /// What nobody but a worker can write: `x-order-principal`.
  @Test func aSealThatIsForgedOrLiftedIsNotBelieved() async throws {
    try await Self.withWorker { world in
      let rsa = Self.keys[0]
      // One that is refused goes to the dead letters with a seal; that queue's reader is away, so that it can be looked at.
      let operatorClaims = #"{"message_id":"forged","type":"order.create","body_sha256":"","sub":"root","roles":["operator"],"tenant":"default"}"#
      let forged = [
        "unsigned": TokenForge.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + TokenForge.encode(Array(operatorClaims.utf8)) + ".",
        "own-key": TokenForge(.secret(Array(repeating: 9, count: 32)), id: "seal-1").token(operatorClaims), "rubbish": "a.b.c",
      ]
      let publisher = Publisher(configuration: try world.connection)
      for (name, header) in forged {
        var properties = MessageProperties()
        properties.type = "order.create"
        properties.messageID = "forged-\(name)"
        properties.headers = [
          Header(name: "x-order-principal", value: .string(header)), Header(name: "authorization", value: .string("Bearer " + rsa.token(Self.claims()))),
        ]
        let message = Publication(
          exchange: "\(world.prefix).commands", routingKey: "order.create", mandatory: true, properties: properties, body: Array(Self.order.utf8))
        #expect(await publisher.publish([message], deadline: .after(.seconds(10))) == [.confirmed])
      }
      await publisher.close()
      for name in forged.keys {
        let isWritten = await eventually(within: .seconds(20)) {
          (try? await world.number("SELECT count(*) FROM audit_log WHERE message_id = 'forged-\(name)' AND outcome = 'unauthenticated'")) == 1
        }
        #expect(isWritten, "\(name): even beside a good token")
      }
      #expect(try await world.number("SELECT count(*) FROM orders") == 0)
    }
  }

  @Test func anExpiredLetterIsReplayedOnlyWhereItsRightsAreGivenBack() async throws {
    try await Self.withWorker { world in
      let rsa = Self.keys[0]
      _ = try await Self.send(world, rsa.token(Self.claims(sub: "late", expiresIn: -3_600)), id: "late")
      _ = try await Self.send(world, nil, id: "unknown")
      #expect(await eventually(within: .seconds(20)) { (try? await world.number("SELECT count(*) FROM dead_letters")) == 2 })
      let plain = try await world.run("dead-letters", "replay", "--all")
      #expect(plain.code == 1 && plain.errors.contains("--accept-expired") && plain.errors.contains("--as-me"), "\(plain)")
      let accepted = try await world.run("dead-letters", "replay", "--all", "--accept-expired", "--as-me")
      #expect(accepted.code == 0, "\(accepted)")
      #expect(await eventually(within: .seconds(20)) { (try? await world.number("SELECT count(*) FROM orders")) == 2 })
      #expect(try await world.number("SELECT count(*) FROM audit_log WHERE action = 'order.create' AND outcome = 'accepted' AND actor = 'late'") == 1)
      let asMe = "SELECT count(*) FROM audit_log WHERE action = 'order.create' AND outcome = 'accepted' AND actor LIKE 'cli:%'"
      #expect(try await world.number(asMe) == 1)
    }
  }
}
