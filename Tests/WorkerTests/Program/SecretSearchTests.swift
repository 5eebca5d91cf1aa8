import ClientRuntime
import Foundation
import PostgresClient
import RabbitMQClient
import RedisClient
import TestSupport
import Testing
import TokenSupport

/// Secrets are planted wherever one can be given, everything is done that the program does, and then they are looked for wherever it writes.
@Suite(.enabled(if: ServerWorld.isThere)) struct SecretSearchTests {
  /// What must be nowhere, with the name of where it was planted.
  private struct Plants {
    var all: [(name: String, text: String)] = []

    mutating func plant(_ name: String) -> String {
      let text = "plant-\(name)-\(UInt64.random(in: .min ... .max))"
      all.append((name, text))
      return text
    }

    /// A token is one as a whole, and so are its claims and its signature.
    mutating func plant(_ name: String, token: String) -> String {
      for (part, text) in zip(["header", "claims", "signature"], token.split(separator: ".")).dropFirst() { all.append(("\(name)'s \(part)", String(text))) }
      return token
    }

    func found(in text: String) -> [String] { all.filter { text.contains($0.text) }.map(\.name) }

    /// As PostgreSQL shows it in text and in bytes.
    var patterns: [(name: String, texts: [String])] {
      all.map { plant in (plant.name, [plant.text, plant.text.utf8.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()]) }
    }
  }

  /// An account of its own at a server, where the server lets one be made.
  private static func account(atRabbitMQ name: String, _ password: String) async throws {
    let url = Stack.require("STACK_RABBITMQ_MANAGEMENT_URL")
    let http = LoopbackHTTP(port: try #require(url.firstMatch(of: /:(\d+)\/?$/).flatMap { UInt16($0.1) }))
    let headers = ["Content-Type: application/json", "Authorization: Basic Z3Vlc3Q6Z3Vlc3Q="]
    let user = await http.ask("PUT", "/api/users/\(name)", headers: headers, body: #"{"password":"\#(password)","tags":""}"#)
    let rights = await http.ask(
      "PUT", "/api/permissions/%2F/\(name)", headers: headers, body: #"{"configure":".*","write":".*","read":".*"}"#)
    #expect(user?.status == 201 && rights?.status == 201)
  }

  private static func redis(_ url: String, _ words: String...) async throws -> RedisReply {
    let client = RedisClient(configuration: try RedisConfiguration(url: url))
    #expect(await client.waitUntilConnected(deadline: .after(.seconds(10))))
    var command = RedisCommand(words[0], capacity: 64)
    for word in words.dropFirst() { command.append(word) }
    let replies = try await client.pipeline([command], deadline: .after(.seconds(10)))
    await client.close()
    return replies[0]
  }

  private static func replacing(userOf url: String, with user: String) -> String {
    let host = url.split(separator: "@").last!.split(separator: "//").last!
    let scheme = url.prefix { $0 != ":" }
    return "\(scheme)://\(user)@\(host)"
  }

  @Test func noSecretIsInAnythingThatIsWritten() async throws {
    var plants = Plants()
    let name = Stack.uniqueName("u")
    let (amqp, redis) = (plants.plant("amqp-password"), plants.plant("redis-password"))
    try await Self.account(atRabbitMQ: name, amqp)
    _ = try await Self.redis(Stack.redisURL, "ACL", "SETUSER", name, "on", ">\(redis)", "~*", "+@all")
    let sandbox = try await PaymentSandbox.start()
    let (config, outputs) = (try Program.Files(), try Program.Files())
    defer { [config, outputs].forEach { $0.remove() } }
    let secret = plants.plant("hmac-secret")
    let sealing = Array(plants.plant("sealing-key-of-some-length").utf8)
    plants.all.append(("sealing key as JWK", TokenForge.encode(sealing)))
    let owner = try #require(Stack.databaseURL.firstMatch(of: /\/\/([^:@]+)@/)).1
    let settings = [
      "ORDERS_AMQP_URL": Self.replacing(userOf: Stack.amqpURL, with: "\(name):\(amqp)"),
      "ORDERS_DATABASE_URL": Self.replacing(userOf: Stack.databaseURL, with: "\(owner):\(plants.plant("database-password"))"),
      "ORDERS_REDIS_URL": Self.replacing(userOf: Stack.redisURL, with: "\(name):\(redis)"), "ORDERS_PAYMENT_TOKEN": plants.plant("payment-token"),
      "ORDERS_JWT_HMAC_SECRET_FILE": try config.write(secret, to: "hmac"),
      "ORDERS_SIGNING_KEY_FILE": try config.write(TokenForge.jwks([TokenForge(.secret(sealing), id: "s")]), to: "sealing"),
      "ORDERS_LOG_LEVEL": "trace", "ORDERS_REDIS_PREFIX": name, "ORDERS_ENV": "production",
    ].merging(sandbox.settings) { $1 }

    func token(_ name: String, _ key: TokenForge = AuthenticatedWorld.keys[0], roles: String = #"["operator"]"#, expiresIn: Double = 600) -> String {
      plants.plant(name, token: key.token(AuthenticatedWorld.claims(sub: "who-\(name)", roles: roles, expiresIn: expiresIn)))
    }
    let good = token("good")
    let tokens = [
      good, token("expired", expiresIn: -500), token("wrong key", .rsa("rsa-1")), token("unknown key", .rsa("rsa-9")), token("no role", roles: "[]"),
      plants.plant("no-token-at-all"), plants.plant("giant") + String(repeating: "x", count: 9_000),
    ]
    let (odd, doubled) = (plants.plant("odd-scheme"), plants.plant("capital-header"))

    var places: [(name: String, text: String)] = []
    try await AuthenticatedWorld.withWorker(settings) { world, _, logs in
      func run(_ arguments: String..., input: String? = nil) async throws {
        let result = try await Program.run(arguments, environment: world.environment, input: input)
        places.append((arguments.prefix(3).joined(separator: " "), result.output + result.errors))
      }
      let events = Consumer(
        configuration: try ConnectionConfiguration(url: Stack.amqpURL, name: "search"),
        subscription: .exclusive(name: "", bindings: [(exchange: "\(world.prefix).events", routingKey: "#")]), prefetch: 1_000)
      #expect(await eventually { events.state.isConnected })
      let confirmed = AuthenticatedWorld.order.replacing("{\"customer_id\"", with: #"{"confirm":true,"payment_method":"pm_visible","customer_id""#)
      // What every kind of sender sends, and what fails in every way.
      for (number, token) in tokens.enumerated() {
        for (kind, body) in [("order", confirmed), ("invalid", #"{"customer_id":"visible"}"#), ("rubbish", "{")] {
          try await AuthenticatedWorld.publish(world, [AuthenticatedWorld.publication(world, id: "m-\(kind)-\(number)", token: token, body: body)])
        }
      }
      let strange = [
        Header(name: "authorization", value: .string("Basic \(odd)")), Header(name: "Authorization", value: .string("Bearer \(doubled)")),
        Header(name: "AUTHORIZATION", value: .string("Bearer \(doubled)")),
      ]
      try await AuthenticatedWorld.publish(world, [AuthenticatedWorld.publication(world, id: "strange", token: nil, headers: strange)])
      try await AuthenticatedWorld.publish(
        world, [AuthenticatedWorld.publication(world, id: "capitals", token: nil, headers: Array(strange.dropFirst()), body: "{")])
      #expect(await AuthenticatedWorld.waitFor(Int64(tokens.count * 3 - 1 + 2), world, "SELECT count(*) FROM dead_letters"))
      #expect(await AuthenticatedWorld.waitFor(1, world, "SELECT count(*) FROM orders WHERE status = 'confirmed'"))
      let order = try await world.text("SELECT order_id::text FROM orders")

      guard case .array(let keys) = try await Self.redis(Stack.redisURL, "KEYS", "\(name)*") else { throw CancellationError() }
      #expect(!keys.isEmpty)
      for key in keys {
        guard case .string(let key) = key else { continue }
        places.append(
          ("Redis", "\(String(decoding: key, as: UTF8.self)) \(try await Self.redis(Stack.redisURL, "HGETALL", String(decoding: key, as: UTF8.self)))"))
      }

      // The operator's whole command line, with and without the right to it.
      for token in tokens.prefix(3) {
        try await run("get", order, "--token", token)
        try await run("list", "--customer", "c", "--token", token)
        try await run("history", order, "--token", token)
        try await run("dead-letters", "list", "--token", token)
        try await run("dead-letters", "list", "--by", "error", "--token", token)
        try await run("dead-letters", "export", "--all", "--token", token)
        try await run("dead-letters", "replay", "--reason", "invalid", "--token", token)
        try await run("stock", "list", "--token", token)
        try await run("audit", "list", "--token", token)
        try await run("audit", "verify", "--token", token)
        try await run("send", "order.create", "-", "--wait", "--token", token, input: "{}")
      }
      try await run("dead-letters", "show", try await world.text("SELECT id::text FROM dead_letters LIMIT 1"), "--reveal", "--token", good)
      for path in ["/health/live", "/health/ready", "/metrics"] {
        let port = try #require(logs.errors.firstMatch(of: /"health is served".*"port":(\d+)/)?.1)
        places.append((path, await LoopbackHTTP(port: UInt16(port)!).get(path)?.text ?? ""))
      }
      try await run("run", "--print-config", "--token", good)
      try await run("run", "--print-config", "--json", "--token", good)
      try await run("setup")
      try await run("setup", "--check")
      // Servers that are not there, and addresses that are none: all at once, for some are tried for half a minute.
      places += await withTaskGroup(of: (name: String, text: String).self) { group in
        for setting in ["ORDERS_AMQP_URL", "ORDERS_DATABASE_URL", "ORDERS_REDIS_URL"] {
          let (url, flag) = (settings[setting]!, "--" + setting.dropFirst(7).lowercased().replacing("_", with: "-"))
          for wrong in [url.replacing(/:\d+(\/|$)/, with: { ":1\($0.1)" }), url.replacing("://", with: ":/"), url.replacing("@", with: "@@"), url + "%zz"] {
            for arguments in [["setup", "--check"], ["run", "--print-config"]] {
              group.addTask {
                let result = try? await Program.run(arguments + [flag, wrong], environment: world.environment)
                return ("\(arguments) with a wrong \(setting)", "\(result?.output ?? "")\(result?.errors ?? "")")
              }
            }
          }
        }
        return await group.reduce(into: []) { $0.append($1) }
      }
      // An issuer's address with secrets in it, that cannot be reached.
      let issuer = "http://svc:\(plants.plant("jwks-password"))@127.0.0.1:1/jwks?key=\(plants.plant("jwks-query"))"
      try await run("stock", "list", "--token", good, "--jwt-jwks-file", "", "--jwt-jwks-url", issuer)
      try await run("run", "--print-config", "--jwt-jwks-file", "", "--jwt-jwks-url", issuer)
      // Of other secrets a file may be wrong.
      try await run("token", "--role", "viewer", "--jwt-private-key-file", try config.write(plants.plant("no-pem"), to: "pem"))
      try await run("run", "--signing-key-file", try config.write(#"{"keys":[{"kty":"oct","k":"\#(plants.plant("no-key"))"}]}"#, to: "jwk"))

      #expect(await eventually { events.waiting >= 2 })
      while events.waiting > 0, case .deliveries(let deliveries) = await events.next(max: 1_000) {
        for delivery in deliveries { places.append(("an event", "\(delivery.properties)" + String(decoding: delivery.body, as: UTF8.self))) }
      }
      await events.close()
      let log = logs.errors + logs.output
      places.append(("log", log))
      #expect(log.contains("m-rubbish-0"), "the search finds what is there")
      #expect(try await world.tables(holding: "visible").contains("orders"), "the search finds what is there")
      for (plant, texts) in plants.patterns {
        for text in texts {
          let tables = try await world.tables(holding: text)
          #expect(tables.isEmpty, "\(plant) is in \(tables)")
        }
      }
    }
    await sandbox.end()
    #expect(places.count > 60)
    for place in places { #expect(plants.found(in: place.text).isEmpty, "\(place.name) tells \(plants.found(in: place.text))") }
  }
}
