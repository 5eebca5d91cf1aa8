import Foundation
import TestSupport
import Testing
import TokenSupport

enum PyJWT {
  static let python = ProcessInfo.processInfo.environment["ORDER_WORKER_PYJWT"]
  static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Tokens/tokens.py").path

  static func run(_ arguments: [String]) async throws -> String {
    let files = try Program.Files()
    defer { files.remove() }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python!)
    process.arguments = ["-B", script] + arguments
    process.standardOutput = try FileHandle(forWritingTo: files.folder.appendingPathComponent("out"))
    process.standardError = try FileHandle(forWritingTo: files.folder.appendingPathComponent("err"))
    try process.run()
    #expect(await eventually(within: .seconds(60)) { !process.isRunning })
    #expect(process.terminationStatus == 0, "\(files.errors)")
    return files.output
  }
}

/// Tokens by PyJWT, which `ORDER_WORKER_PYJWT`, a Python interpreter, has.
@Suite(.enabled(if: ServerWorld.isThere && PyJWT.python != nil)) struct PyJWTProgramTests {
  @Test func itsTokensAreTakenAndItsWrongOnesAreNot() async throws {
    let files = try Program.Files()
    defer { files.remove() }
    let tokens = try #require(try JSONSerialization.jsonObject(with: Data(try await PyJWT.run(["make", files.folder.path]).utf8)) as? [String: String])
    let settings = [
      "ORDERS_JWT_JWKS_FILE": files.folder.appendingPathComponent("jwks.json").path,
      "ORDERS_JWT_HMAC_SECRET_FILE": files.folder.appendingPathComponent("secret").path,
    ]
    let good = ["RS256", "ES256", "EdDSA", "HS256"]
    #expect(Set(tokens.keys).isSuperset(of: good) && tokens.count == 8)
    try await AuthenticatedWorld.withWorker(settings) { world, _, _ in
      for (name, token) in tokens {
        let reply = try await AuthenticatedWorld.send(world, token, id: name.replacing(" ", with: "-"))
        #expect(reply.contains(good.contains(name) ? #""outcome":"accepted""# : #""code":"unauthenticated""#), "\(name): \(reply)")
      }
      #expect(try await world.number("SELECT count(*) FROM audit_log WHERE outcome = 'accepted' AND actor = 'python'") == 4)
    }
  }

  /// Keys of all kinds, as whoever takes our tokens elsewhere verifies them.
  @Test func itReadsTheTokensThatTheProgramMints() async throws {
    for key in AuthenticatedWorld.keys {
      let files = try Program.Files()
      defer { files.remove() }
      let environment = ["ORDERS_JWT_PRIVATE_KEY_FILE": try files.write(try #require(key.pem), to: "key.pem"), "ORDERS_JWT_ISSUER": "https://login.test"]
      let jwks = try files.write(try await Program.run(["token", "--jwks"], environment: environment).output, to: "public.json")
      let minted = try await Program.run(["token", "--role", "viewer", "--sub", "Zoë", "--tenant", "shop-b"], environment: environment)
      let token = String(minted.output.split(separator: "\n")[0])
      let claims = try #require(
        try JSONSerialization.jsonObject(with: Data(try await PyJWT.run(["read", jwks, token]).utf8)) as? [String: Any])
      #expect(claims["sub"] as? String == "Zoë" && claims["roles"] as? [String] == ["viewer"] && claims["tenant"] as? String == "shop-b")
      #expect(claims["iss"] as? String == "https://login.test")
    }
  }
}
