import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport
import Testing
import TokenSupport

/// The built worker with ORDERS_AUTH=required, attacked from outside.
@Suite(.enabled(if: ServerWorld.isThere)) struct AuthenticationProgramTests {
  @Test func tokensOfAllAlgorithmsAreTaken() async throws {
    try await AuthenticatedWorld.withWorker { world in
      let all = AuthenticatedWorld.keys + [TokenForge(.secret(Array(AuthenticatedWorld.secret.utf8)))]
      for (number, key) in all.enumerated() {
        let reply = try await AuthenticatedWorld.send(world, key.token(AuthenticatedWorld.claims()), id: "good-\(number)")
        #expect(reply.contains(#""outcome":"accepted""#), "\(key.key.algorithm): \(reply)")
      }
      // The program's own, by the secret.
      let own = try await world.run("send", "order.create", "-", "--wait", "--id", "own", "--role", "service", "--sub", "me", input: AuthenticatedWorld.order)
      #expect(own.output.contains(#""outcome":"accepted""#), "\(own.output)\(own.errors)")
      #expect(try await world.number("SELECT count(*) FROM audit_log WHERE outcome = 'accepted' AND actor IN ('shop', 'me')") == 5)
    }
  }

  @Test func nobodyGetsInWithAWrongToken() async throws {
    let rsa = AuthenticatedWorld.keys[0]
    let attacks: [(name: String, token: String?, reason: String)] = [
      ("no-token", nil, "unauthenticated"), ("empty", " ", "unauthenticated"),
      ("none", TokenForge.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + TokenForge.encode(Array(AuthenticatedWorld.claims().utf8)) + ".", "unauthenticated"),
      (
        "public-key", TokenForge(.secret(Array(rsa.publicPEM!.utf8))).token(AuthenticatedWorld.claims(), header: #"{"alg":"HS256","kid":"rsa-1"}"#),
        "unauthenticated"
      ),
      ("wrong-kid", TokenForge.rsa("rsa-2").token(AuthenticatedWorld.claims()), "unauthenticated"),
      ("wrong-key", TokenForge.rsa("rsa-1").token(AuthenticatedWorld.claims()), "unauthenticated"),
      ("issuer", rsa.token(AuthenticatedWorld.claims(more: #","iss":"https://evil.test","aud":"orders""#)), "unauthenticated"),
      ("audience", rsa.token(AuthenticatedWorld.claims(more: #","iss":"https://login.test","aud":"mail""#)), "unauthenticated"),
      ("expired", rsa.token(AuthenticatedWorld.claims(expiresIn: -61)), "unauthenticated"),
      ("early", rsa.token(AuthenticatedWorld.claims(more: AuthenticatedWorld.claimed + #","nbf":99999999999"#)), "unauthenticated"),
      (
        "giant", rsa.token(AuthenticatedWorld.claims(more: AuthenticatedWorld.claimed + #","x":""# + String(repeating: "a", count: 20_000) + #"""#)),
        "unauthenticated"
      ),
      ("roles", rsa.token(AuthenticatedWorld.claims(roles: #""service""#)), "unauthenticated"),
      ("viewer", rsa.token(AuthenticatedWorld.claims(roles: #"["viewer"]"#)), "forbidden"),
      ("nobody", rsa.token(AuthenticatedWorld.claims(roles: "[]")), "forbidden"),
      ("admin", rsa.token(AuthenticatedWorld.claims(roles: #"["admin","root"]"#)), "forbidden"),
      ("other-customer", rsa.token(AuthenticatedWorld.claims(sub: "d", roles: #"["customer"]"#)), "forbidden"),
    ]
    try await AuthenticatedWorld.withWorker { world in
      for attack in attacks {
        let reply = try await AuthenticatedWorld.send(world, attack.token, id: "attack-\(attack.name)")
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
    try await AuthenticatedWorld.withWorker { world in
      let rsa = AuthenticatedWorld.keys[0]
      let reply = try await AuthenticatedWorld.send(world, rsa.token(AuthenticatedWorld.claims()), id: "mine")
      let order = try #require(reply.firstMatch(of: /"order_id":"([^"]+)"/)).1
      let stranger = rsa.token(AuthenticatedWorld.claims(sub: "eve", tenant: "shop-b"))
      let customer = rsa.token(AuthenticatedWorld.claims(sub: "eve", roles: #"["customer"]"#))
      let update = #"{"order_id":"\#(order)","status":"cancelled"}"#
      let unknown = #"{"order_id":"00000000-0000-4000-8000-000000000000","status":"cancelled"}"#
      async let replies = [
        try await AuthenticatedWorld.send(world, stranger, id: "x1", type: "order.update_status", body: update),
        try await AuthenticatedWorld.send(world, customer, id: "x2", type: "order.update_status", body: update),
        try await AuthenticatedWorld.send(world, stranger, id: "x3", type: "order.update_status", body: unknown),
        try await AuthenticatedWorld.send(
          world, stranger, id: "x4", type: "order.update_status", body: update.replacing("}", with: #","expected_version":1}"#)),
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
    try await AuthenticatedWorld.withWorker { world in
      let service = AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims())
      let stranger = AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims(sub: "eve", roles: #"["operator"]"#, tenant: "shop-b"))
      for token in [service, stranger] {
        for act in [["stock", "set", "p", "5"], ["stock", "list"], ["dead-letters", "list"], ["dead-letters", "replay", "--all"]] {
          let result = try await Program.run(act + ["--token", token], environment: world.environment)
          #expect(result.code == 1 && (result.errors.contains("role operator") || result.errors.contains("not of default")), "\(act): \(result)")
        }
      }
      #expect(try await world.number("SELECT on_hand FROM inventory WHERE tenant_id = 'default'") == 1_000_000)
      let refused = "SELECT count(*) FROM audit_log WHERE outcome = 'forbidden' AND actor IN ('shop', 'eve')"
      #expect(try await world.number(refused) == 8)
      var environment = world.environment
      environment["ORDERS_JWT_HMAC_SECRET_FILE"] = nil
      let nobody = try await Program.run(["stock", "set", "p", "5"], environment: environment)
      #expect(nobody.code == 1 && nobody.errors.contains("nothing says who you are"))
      let wrong = try await Program.run(["stock", "set", "p", "5", "--token", "a.b.c"], environment: environment)
      #expect(wrong.code == 1 && wrong.errors.contains("you are not known"))
      let right = try await Program.run(
        ["stock", "set", "p", "50", "--token", AuthenticatedWorld.keys[1].token(AuthenticatedWorld.claims(sub: "olga", roles: #"["operator"]"#))],
        environment: environment)
      #expect(right.code == 0, "\(right.errors)")
    }
  }

  /// What nobody but a worker can write: `x-order-principal`.
  @Test func aSealThatIsForgedOrLiftedIsNotBelieved() async throws {
    // Without the role dead-letters, so that a message with a worker's own seal can be looked at in its queue.
    try await AuthenticatedWorld.withWorker(arguments: ["--roles", "commands,queries"]) { world, _, _ in
      let token = AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims())
      let body = #"{"customer_id":"c","items":[]}"#
      try await AuthenticatedWorld.publish(world, [AuthenticatedWorld.publication(world, id: "invalid", token: token, body: body)])
      let letters = Consumer(configuration: try world.connection, subscription: .queue("\(world.prefix).dead-letter"), prefetch: 100)
      func letter() async throws -> Delivery {
        guard case .deliveries(let deliveries) = await letters.next(max: 1) else { throw CancellationError() }
        letters.settle([.ack(tag: deliveries[0].tag, multiple: false)], generation: deliveries[0].generation)
        return deliveries[0]
      }
      func text(_ delivery: Delivery, _ name: String) -> String? {
        guard case .string(let text)? = delivery.properties.headers.first(where: { $0.name == name })?.value else { return nil }
        return text
      }
      let sealed = try await letter()
      let seal = try #require(text(sealed, "x-order-principal"))
      #expect(text(sealed, "x-reason") == "invalid" && text(sealed, "authorization") == nil, "the token goes no further")

      let claims = #"{"message_id":"own-key","type":"order.create","body_sha256":"","sub":"root","roles":["operator"],"tenant":"default"}"#
      let forged: [(id: String, header: String, body: String)] = [
        ("unsigned", TokenForge.encode(Array(#"{"alg":"none"}"#.utf8)) + "." + TokenForge.encode(Array(claims.utf8)) + ".", AuthenticatedWorld.order),
        ("own-key", TokenForge(.secret(Array(repeating: 9, count: 32)), id: "seal-1").token(claims), AuthenticatedWorld.order),
        ("rubbish", "a.b.c", AuthenticatedWorld.order), ("as-token", token, AuthenticatedWorld.order), ("lifted", seal, body),
        ("invalid", seal, AuthenticatedWorld.order),
      ]
      for (id, header, body) in forged {
        let headers = [Header(name: "x-order-principal", value: .string(header))]
        // Even beside a good token.
        for token in [nil, token] {
          try await AuthenticatedWorld.publish(world, [AuthenticatedWorld.publication(world, id: id, token: token, headers: headers, body: body)])
          let refused = try await letter()
          #expect(refused.properties.messageID == id && text(refused, "x-reason") == "unauthenticated", "\(id)")
          #expect(text(refused, "x-order-principal") != header)
        }
      }
      // With what it was made for it is good, and says who sent it.
      let again = AuthenticatedWorld.publication(
        world, id: "invalid", token: nil, headers: [Header(name: "x-order-principal", value: .string(seal))], body: body)
      try await AuthenticatedWorld.publish(world, [again])
      #expect(text(try await letter(), "x-reason") == "invalid")
      await letters.close()
      #expect(try await world.number("SELECT count(*) FROM orders") == 0)
    }
  }

  /// Whoever names a queue that is not his as the place for replies does not make the worker write there.
  @Test func repliesGoToNoQueueOfOthers() async throws {
    try await AuthenticatedWorld.withWorker { world in
      let victim = "\(world.prefix)-victim"
      try await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in try session.declareQueue(victim, arguments: []) }
      let token = AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims())
      let queues = [victim, "\(world.prefix).commands", "\(world.prefix).dead-letter", "\(world.prefix).retry.1s", "../x", "amq.gen-"]
      for (number, queue) in queues.enumerated() {
        try await AuthenticatedWorld.publish(
          world,
          [
            AuthenticatedWorld.publication(world, id: "reply-\(number)", token: token, replyTo: queue),
            AuthenticatedWorld.publication(world, id: "unknown-\(number)", token: nil, replyTo: queue),
          ])
      }
      let done = "SELECT count(*) FROM processed_commands WHERE message_id LIKE 'reply-%' AND outcome = 'accepted'"
      #expect(await AuthenticatedWorld.waitFor(Int64(queues.count), world, done), "the command itself goes on")
      #expect(await AuthenticatedWorld.waitFor(Int64(queues.count), world, "SELECT count(*) FROM dead_letters WHERE reason = 'unauthenticated'"))
      #expect(try await world.number("SELECT count(*) FROM dead_letters") == Int64(queues.count), "no reply was taken for a command or a dead letter")
      let held = try await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in
        let held = try session.depth(of: victim)?.messages
        try session.deleteQueue(victim)
        return held
      }
      #expect(held == 0)
    }
  }

  @Test func whoShowsAGoodTokenIsAnsweredAlsoAboutWhatCannotBeRead() async throws {
    try await AuthenticatedWorld.withWorker { world in
      let queue = "reply.\(world.prefix)"
      let replies = Consumer(configuration: try world.connection, subscription: .exclusive(name: queue), prefetch: 10)
      #expect(await eventually { replies.state.isConnected })
      let good = AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims())
      for (id, token) in [("nobody", nil), ("expired", AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims(expiresIn: -90))), ("known", good)] {
        try await AuthenticatedWorld.publish(world, [AuthenticatedWorld.publication(world, id: id, token: token, replyTo: queue, body: "{")])
      }
      guard case .deliveries(let deliveries) = await replies.next(max: 10) else { return }
      #expect(deliveries.map { String(decoding: $0.body, as: UTF8.self) }.allSatisfy { $0.contains(#""code":"malformed""#) && $0.contains("known") })
      #expect(await AuthenticatedWorld.waitFor(3, world, "SELECT count(*) FROM dead_letters WHERE reason = 'malformed'"))
      #expect(replies.waiting == 0)
      await replies.close()
    }
  }

  @Test func aMessageThatIsSentAgainTakesNoEffect() async throws {
    try await AuthenticatedWorld.withWorker { world in
      let token = AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims())
      let first = try await AuthenticatedWorld.send(world, token, id: "caught")
      #expect(first.contains(#""outcome":"accepted""#))
      // By whoever caught it; by its sender with another token; changed; and by somebody else.
      #expect(try await AuthenticatedWorld.send(world, token, id: "caught").contains(#""outcome":"duplicate""#))
      let fresh = AuthenticatedWorld.keys[1].token(AuthenticatedWorld.claims())
      #expect(try await AuthenticatedWorld.send(world, fresh, id: "caught").contains(#""outcome":"duplicate""#))
      let changed = AuthenticatedWorld.order.replacing(#""quantity":1"#, with: #""quantity":2"#)
      #expect(try await AuthenticatedWorld.send(world, token, id: "caught", body: changed).contains(#""code":"id_conflict""#))
      let eve = AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims(sub: "eve"))
      #expect(try await AuthenticatedWorld.send(world, eve, id: "caught").contains(#""code":"id_conflict""#))
      // Two spellings of one name are two senders.
      let zoe = ["Zo\u{EB}", "Zoe\u{308}"].map { AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims(sub: $0)) }
      #expect(try await AuthenticatedWorld.send(world, zoe[0], id: "zoe").contains(#""outcome":"accepted""#))
      #expect(try await AuthenticatedWorld.send(world, zoe[1], id: "zoe").contains(#""code":"id_conflict""#))
      #expect(try await world.number("SELECT count(*) FROM orders") == 2)
      #expect(try await world.number("SELECT sum(reserved) FROM inventory") == 2)
    }
  }

  /// What was verified once stays so, however long the command waits.
  @Test func aTokenThatExpiresOnTheWayDoesNoHarm() async throws {
    try await AuthenticatedWorld.withWorker(["ORDERS_RETRY_RUNGS": "1s,5s"]) { world, _, _ in
      try await world.sql(
        """
        CREATE FUNCTION refuse_culprits() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
          IF NEW.customer_id = 'culprit' THEN RAISE EXCEPTION 'the customer is refused'; END IF;
          RETURN NEW;
        END $$;
        CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse_culprits()
        """)
      let body = AuthenticatedWorld.order.replacing(#""c""#, with: #""culprit""#)
      func publish(_ id: String, _ token: String) async throws {
        try await AuthenticatedWorld.publish(world, [AuthenticatedWorld.publication(world, id: id, token: token, body: body)])
      }
      // Three seconds are left of the minute that a clock may be behind.
      func token() -> String { AuthenticatedWorld.keys[0].token(AuthenticatedWorld.claims(sub: "late", expiresIn: -57)) }
      try await publish("dead", token())
      #expect(await AuthenticatedWorld.waitFor(1, world, "SELECT count(*) FROM dead_letters WHERE reason = 'retries_exhausted'"))
      let climbs = token()
      try await publish("climbs", climbs)
      #expect(
        await eventually(within: .seconds(20)) {
          let queue = "\(world.prefix).retry.5s"
          return (try? await AMQPAdministration.withSession(try world.connection) { session throws(AMQPError) in try session.depth(of: queue)?.messages }) == 1
        }, "on the ladder")
      var probe = 0
      #expect(
        await eventually(within: .seconds(20)) {
          probe += 1
          return (try? await AuthenticatedWorld.send(world, climbs, id: "probe-\(probe)"))?.contains("token_expired") == true
        })
      try await world.sql("DROP TRIGGER refuse ON orders")
      #expect(await AuthenticatedWorld.waitFor(1, world, "SELECT count(*) FROM processed_commands WHERE message_id = 'climbs' AND outcome = 'accepted'"))
      let replay = try await world.run("dead-letters", "replay", "--reason", "retries_exhausted")
      #expect(replay.code == 0, "\(replay)")
      #expect(await AuthenticatedWorld.waitFor(1, world, "SELECT count(*) FROM processed_commands WHERE message_id = 'dead' AND outcome = 'accepted'"))
      let byName = "SELECT count(*) FROM audit_log WHERE outcome = 'accepted' AND actor = 'late' AND message_id IN ('dead', 'climbs')"
      #expect(try await world.number(byName) == 2)
    }
  }

  @Test func anExpiredLetterIsReplayedOnlyWhereItsRightsAreGivenBack() async throws {
    try await AuthenticatedWorld.withWorker { world in
      let rsa = AuthenticatedWorld.keys[0]
      _ = try await AuthenticatedWorld.send(world, rsa.token(AuthenticatedWorld.claims(sub: "late", expiresIn: -3_600)), id: "late")
      _ = try await AuthenticatedWorld.send(world, nil, id: "unknown")
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
