import ClientRuntime
import Foundation
import RabbitMQClient
import TestSupport
import Testing
import TokenSupport

/// A world whose worker asks for tokens, and those who have some.
enum AuthenticatedWorld {
  static let keys = [TokenForge.rsa("rsa-1"), .ec("ec-1"), .ed25519("ed-1")]
  static let secret = "a secret of more than thirty-two bytes"
  static let sealing = TokenForge(.secret(Array(repeating: 7, count: 32)), id: "seal-1")
  static let claimed = #","iss":"https://login.test","aud":"orders""#
  static let order = #"{"customer_id":"c","items":[{"product_id":"p","quantity":1,"unit_price":1}]}"#

  static func claims(
    sub: String = "shop", roles: String = #"["service"]"#, tenant: String? = nil, expiresIn: Double = 600, more: String = claimed
  ) -> String { TokenForge.claims(sub: sub, roles: roles, tenant: tenant, expiresIn: expiresIn, more: more) }

  /// Runs a test beside a worker that verifies its senders and is ready. `settings` are over its own; `jwks` is the file of its keys.
  static func withWorker(
    _ settings: [String: String] = [:], arguments: [String] = [], _ body: (_ world: ServerWorld, _ jwks: String, _ logs: Program.Files) async throws -> Void
  ) async throws {
    let (config, logs) = (try Program.Files(), try Program.Files())
    defer { [config, logs].forEach { $0.remove() } }
    let jwks = try config.write(TokenForge.jwks(keys), to: "jwks.json")
    let own = [
      "ORDERS_AUTH": "required", "ORDERS_JWT_JWKS_FILE": jwks, "ORDERS_JWT_HMAC_SECRET_FILE": try config.write(secret + "\n", to: "secret"),
      "ORDERS_SIGNING_KEY_FILE": try config.write(TokenForge.jwks([sealing]), to: "sealing.json"), "ORDERS_JWT_ISSUER": "https://login.test",
      "ORDERS_JWT_AUDIENCE": "orders", "ORDERS_RETRY_RUNGS": "1s",
    ]
    try await ServerWorld.with(own.merging(settings) { $1 }) { world in
      let process = try Program.start(["run"] + arguments, environment: world.environment, files: logs)
      let end: () async -> Void = {
        process.terminate()
        if await !eventually(within: .seconds(30), { !process.isRunning }) { kill(process.processIdentifier, SIGKILL) }
      }
      do {
        #expect(await eventually(within: .seconds(60)) { logs.errors.contains(#""dependency":"keys""#) && logs.errors.contains("health is served") })
        try await world.sql("INSERT INTO inventory (tenant_id, product_id, on_hand) VALUES ('default', 'p', 1000000), ('shop-b', 'p', 100)")
        try await body(world, jwks, logs)
      } catch {
        await end()
        throw error
      }
      await end()
      for token in ["Bearer ", "eyJ", secret] { #expect(!logs.errors.contains(token), "the log tells \(token)") }
    }
  }

  static func withWorker(_ body: (ServerWorld) async throws -> Void) async throws {
    try await withWorker { world, _, _ in try await body(world) }
  }

  /// The reply to one command.
  static func send(_ world: ServerWorld, _ token: String?, id: String, type: String = "order.create", body: String = order) async throws -> String {
    var environment = world.environment
    // The local key would sign.
    environment["ORDERS_JWT_HMAC_SECRET_FILE"] = nil
    let arguments = ["send", type, "-", "--wait", "--id", id, "--timeout", "20s"] + (token.map { ["--token", $0] } ?? [])
    return try await Program.run(arguments, environment: environment, input: body).output
  }

  /// A command as somebody with his own client sends it.
  static func publication(
    _ world: ServerWorld, id: String, token: String?, headers: [Header] = [], replyTo: String? = nil, body: String = order
  ) -> Publication {
    var properties = MessageProperties()
    properties.type = "order.create"
    properties.messageID = id
    properties.replyTo = replyTo
    properties.headers = headers
    if let token { properties.headers.append(Header(name: "authorization", value: .string("Bearer " + token))) }
    return Publication(
      exchange: "\(world.prefix).commands", routingKey: "order.create", mandatory: true, properties: properties, body: Array(body.utf8))
  }

  static func publish(_ world: ServerWorld, _ publications: [Publication]) async throws {
    let publisher = Publisher(configuration: try world.connection)
    let outcomes = await publisher.publish(publications, deadline: .after(.seconds(60)))
    #expect(outcomes.allSatisfy { $0 == .confirmed }, "\(outcomes.first { $0 != .confirmed }.map { "\($0)" } ?? "")")
    await publisher.close()
  }

  static func waitFor(_ number: Int64, _ world: ServerWorld, _ query: String) async -> Bool {
    await eventually(within: .seconds(30)) { (try? await world.number(query)) == number }
  }
}
