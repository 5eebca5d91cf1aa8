import ClientRuntime
import Foundation
import RedisClient
import TestSupport
import Testing
import TokenSupport

/// `doctor` before set-ups that are sound, and before all else that can be wrong with them.
@Suite(.enabled(if: ServerWorld.isThere)) struct DoctorProgramTests {
  private static let redis = PrivateRedis(settings: ["--maxmemory", "32mb", "--maxmemory-policy", "allkeys-lru"])

  @Test(.enabled(if: PrivateRedis.isInstalled)) func inASoundSetUpThereIsNothingToMend() async throws {
    let process = await Self.redis.start()
    #expect(await eventually { listensOnLoopback(Self.redis.port) })
    let files = try Program.Files()
    let settings = try Self.withKeys(files).merging(["ORDERS_REDIS_URL": Self.redis.url, "ORDERS_AMQP_MANAGEMENT_URL": BrokenBroker.url]) { $1 }
    try await ServerWorld.with(settings) { world async throws in
      // A server may answer late where tests start others beside it.
      var (diagnosis, code) = try await Diagnosis.of(world, arguments: ["--strict"])
      for _ in 0..<3 where code != 0 { (diagnosis, code) = try await Diagnosis.of(world, arguments: ["--strict"]) }
      #expect(diagnosis.complaints().isEmpty, "\(diagnosis.complaints())")
      #expect(code == 0 && diagnosis.counts.ok == diagnosis.findings.count && diagnosis.counts.ok > 25)
      let table = try await Program.run(["doctor"], environment: world.environment.merging(["COLUMNS": "120"]) { $1 })
      #expect(table.output.hasSuffix(" ok, 0 not checked\n"))
      #expect(!table.output.contains("\u{1B}"))
      #expect(table.output.split(separator: "\n").allSatisfy { $0.count <= 120 })
    }
    await process.end(SIGKILL)
    files.remove()
  }

  /// Keys that senders and the worker itself sign with, for nobody else's eyes.
  private static func withKeys(_ files: Program.Files) throws -> [String: String] {
    let paths = try [
      "ORDERS_JWT_JWKS_FILE": files.write(TokenForge.jwks(AuthenticatedWorld.keys), to: "jwks.json"),
      "ORDERS_SIGNING_KEY_FILE": files.write(TokenForge.jwks([AuthenticatedWorld.sealing]), to: "sealing.json"),
    ]
    for path in paths.values { try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: path) }
    return paths.merging(["ORDERS_AUTH": "required"]) { $1 }
  }

  @Test(
    .enabled(if: PrivateRedis.isInstalled),
    arguments: [
      (["--maxmemory", "32mb", "--maxmemory-policy", "noeviction"], "problem", "noeviction with a maxmemory"),
      (["--maxmemory", "0", "--maxmemory-policy", "noeviction"], "warning", "there is no maxmemory"),
    ])
  func aRedisThatFillsUpIsNamed(settings: [String], verdict: String, found: String) async throws {
    let server = PrivateRedis(settings: settings)
    let process = await server.start()
    #expect(await eventually { listensOnLoopback(server.port) })
    let diagnosis = try await Diagnosis.of(ServerWorld(["ORDERS_REDIS_URL": server.url])).diagnosis
    diagnosis.expect(verdict, "redis", "memory", found, mend: "maxmemory-policy allkeys-lru")
    diagnosis.expectWell("redis", "writes")
    // A user who may only look.
    let client = RedisClient(configuration: try RedisConfiguration(url: server.url))
    let made = try await client.pipeline(
      [RedisCommand("ACL", "SETUSER", "narrow", "on", ">pw", "~*", "+info", "+time", "+hmget")], deadline: .after(.seconds(10)))
    #expect(made == [.status("OK")])
    await client.close()
    let narrow = try await Diagnosis.of(ServerWorld(["ORDERS_REDIS_URL": server.url.replacing("//", with: "//narrow:pw@")])).diagnosis
    narrow.expect("problem", "redis", "writes", "UNLINK: NOPERM", mend: "ACL SETUSER")
    let wrong = try await Diagnosis.of(ServerWorld(["ORDERS_REDIS_URL": server.url.replacing("//", with: "//narrow:no@")])).diagnosis
    wrong.expect("problem", "redis", "host", "WRONGPASS", mend: "password")
    await process.end(SIGKILL)
    try await Diagnosis.of(ServerWorld(["ORDERS_REDIS_URL": server.url])).diagnosis.expect("problem", "redis", "host", "refused", mend: "ORDERS_REDIS_URL")
  }

  @Test func keysThatEverybodyReadsAndKeysThatNobodyServesAreNamed() async throws {
    let files = try Program.Files()
    defer { files.remove() }
    var settings = try Self.withKeys(files)
    let sealing = try #require(settings["ORDERS_SIGNING_KEY_FILE"])
    try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: sealing)
    settings["ORDERS_JWT_JWKS_FILE"] = nil
    settings["ORDERS_JWT_JWKS_URL"] = "http://127.0.0.1:\(freePort())/jwks?key=s3cret"
    let diagnosis = try await Diagnosis.of(ServerWorld(settings)).diagnosis
    diagnosis.expect("warning", "files", "secret", "everybody on this machine may read it", mend: "chmod o-rwx \(sealing)", at: sealing)
    diagnosis.expect("problem", "keys", "keys", "cannot be fetched", mend: "issuer", at: "ORDERS_JWT_JWKS_URL")
    #expect(!diagnosis.findings.contains { $0.found.contains("s3cret") })
    settings["ORDERS_SIGNING_KEY_FILE"] = try files.write("{}", to: "empty.json")
    try await Diagnosis.of(ServerWorld(settings)).diagnosis.expect("problem", "files", "sealing keys", "it is no JWK Set", mend: "docs/security.md")
  }

  @Test(.enabled(if: PrivatePostgres.isInstalled && TestCertificates.isInstalled), arguments: [(3, "problem"), (20, "warning"), (300, "ok")])
  func certificatesThatRunOutAreNamed(days: Int, verdict: String) async throws {
    let certificates = try await TestCertificates(days: 365)
    try await certificates.issue("server", for: ["localhost"], days: days, user: "postgres")
    try await certificates.issue("client", for: ["orders"], days: days)
    let settings = ["ssl=on", "ssl_cert_file=\(certificates.certificate("server"))", "ssl_key_file=\(certificates.key("server"))", "fsync=on"]
    let (server, process) = try #require(await PrivatePostgres.start(settings: settings))
    try await server.waitUntilItAnswers()
    let port = freePort()
    let words = ["-accept", "127.0.0.1:\(port)", "-cert", certificates.certificate("client"), "-key", certificates.key("client")]
    let issuer = await ServerProcess.start(["openssl", "s_server", "-quiet", "-www"] + words, log: "/dev/null")
    #expect(await eventually { listensOnLoopback(port) })
    let files = try Program.Files()
    let url =
      "postgres://orders@localhost:\(server.port)/postgres?sslmode=verify-full&sslrootcert=\(certificates.certificate("authority"))"
      + "&sslcert=\(certificates.certificate("client"))&sslkey=\(certificates.key("client"))"
    let diagnosis = try await Diagnosis.of(
      ServerWorld([
        "ORDERS_DATABASE_URL": url, "ORDERS_AUTH": "required", "ORDERS_JWT_JWKS_URL": "https://127.0.0.1:\(port)/jwks",
        "ORDERS_SIGNING_KEY_FILE": try files.write(TokenForge.jwks([AuthenticatedWorld.sealing]), to: "sealing.json"),
      ])
    ).diagnosis
    for process in [process, issuer] { await process.end(SIGKILL) }
    await server.remove()
    await certificates.remove()
    files.remove()
    for (part, check) in [("postgres", "certificate"), ("files", "client certificate"), ("keys", "certificate")] {
      let seen = diagnosis.findings.filter { $0.of == part && $0.check == check }
      #expect(seen.map(\.verdict) == [verdict], "\(part): \(diagnosis.findings.filter { $0.of == part })")
      if verdict != "ok" { #expect(seen.first?.found.contains("runs out in \(days) days") == true, "\(seen)") }
    }
  }

  /// The library behind Debian's `faketime`, which shows a program another time.
  private static let faketime: String? = {
    let folders = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib")) ?? []
    return folders.map { "/usr/lib/\($0)/faketime/libfaketime.so.1" }.first { access($0, R_OK) == 0 }
  }()

  /// This machine's clock, as the program sees it, is wrong, and so all the servers' are.
  @Test(.enabled(if: faketime != nil), arguments: [("+10s", "problem"), ("-3s", "warning")])
  func clocksThatDifferAreNamed(offset: String, verdict: String) async throws {
    let world = ServerWorld(["ORDERS_REDIS_URL": Stack.redisURL, "ORDERS_AMQP_MANAGEMENT_URL": BrokenBroker.url])
    let files = try Program.Files()
    defer { files.remove() }
    // Deadlines go by the other clock. Loaded first into the Swift program itself, the library would hide its arguments.
    let fake = ["LD_PRELOAD=\(Self.faketime!)", "FAKETIME=\(offset)", "FAKETIME_DONT_FAKE_MONOTONIC=1"]
    let script = "exec timeout 60 \(Program.path) doctor --json > \(files.folder.path)/out"
    _ = await ServerProcess.run(["env"] + world.environment.map { "\($0.key)=\($0.value)" } + fake + ["sh", "-c", script])
    let diagnosis = try JSONDecoder().decode(Diagnosis.self, from: Data(files.output.utf8))
    for part in ["postgres", "redis", "rabbitmq"] {
      diagnosis.expect(verdict, part, "clock", offset.hasPrefix("+") ? "behind this machine's clock" : "ahead of this machine's clock", mend: "set-ntp")
    }
  }

  @Test func aPaymentProviderIsAskedWithoutEffect() async throws {
    let port = freePort()
    let settings = ["ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": "http://127.0.0.1:\(port)"]
    try await Diagnosis.of(ServerWorld(settings)).diagnosis.expect("problem", "payment", "provider", "refused", mend: "ORDERS_PAYMENT_URL")
    let sandbox = await ServerProcess.start([Program.path, "payment-sandbox", "--port", "\(port)"], log: "/dev/null")
    #expect(await eventually { listensOnLoopback(port) })
    let diagnosis = try await Diagnosis.of(ServerWorld(settings)).diagnosis
    #expect(await LoopbackHTTP(port: port).get("/ledger")?.text == "[]\n")
    await sandbox.end(SIGKILL)
    diagnosis.expectWell("payment", "provider")
  }

  /// All of them take connections and say nothing.
  @Test func serversThatSayNothingAreGivenUpAndHoldNobodyUp() async throws {
    let (listener, port) = listenOnLoopback()
    defer { close(listener) }
    let settings = [
      "ORDERS_AMQP_URL": "amqp://127.0.0.1:\(port),127.0.0.1:\(port)/", "ORDERS_DATABASE_URL": "postgres://orders@127.0.0.1:\(port),localhost:\(port)/orders",
      "ORDERS_REDIS_URL": "redis://127.0.0.1:\(port)", "ORDERS_AMQP_MANAGEMENT_URL": "http://127.0.0.1:\(port)", "ORDERS_PAYMENT_PROVIDER": "http",
      "ORDERS_PAYMENT_URL": "https://127.0.0.1:\(port)",
    ]
    let began = ContinuousClock.now
    let diagnosis = try await Diagnosis.of(ServerWorld(settings)).diagnosis
    #expect(ContinuousClock.now - began < .seconds(15))
    #expect(diagnosis.findings.filter { $0.check == "host" && $0.verdict == "problem" }.count == 2 + 2 + 1)
    diagnosis.expect("problem", "rabbitmq", "management API", "cannot be reached", mend: "rabbitmq_management")
    #expect(diagnosis.findings.contains { $0.of == "payment" && $0.verdict == "problem" })
  }

  @Test func noSecretIsShownWhateverIsWrong() async throws {
    let (secret, files) = ("hunter2secret", try Program.Files())
    defer { files.remove() }
    let port = freePort()
    let wrong = { (url: String) in url.replacing("guest:guest@", with: "guest:\(secret)@").replacing("orders@", with: "nobody:\(secret)@") }
    let settings = [
      "ORDERS_AMQP_URL": wrong(Stack.amqpURL) + ",127.0.0.1:\(port)/", "ORDERS_DATABASE_URL": wrong(Stack.databaseURL),
      "ORDERS_REDIS_URL": Stack.redisURL.replacing("//", with: "//user:\(secret)@"), "ORDERS_AMQP_MANAGEMENT_URL": wrong(BrokenBroker.url),
      "ORDERS_PAYMENT_PROVIDER": "http", "ORDERS_PAYMENT_URL": "http://127.0.0.1:\(port)", "ORDERS_PAYMENT_TOKEN": secret, "ORDERS_AUTH": "required",
      "ORDERS_JWT_JWKS_URL": "http://user:\(secret)@127.0.0.1:\(port)/?key=\(secret)", "ORDERS_SIGNING_KEY_FILE": try files.write(secret, to: "sealing"),
    ]
    for form in [["doctor"], ["doctor", "--json"]] {
      let result = try await Program.run(form, environment: settings)
      #expect(result.code == 1)
      #expect(!(result.output + result.errors).contains(secret))
      for part in ["postgres", "rabbitmq", "redis", "keys", "payment", "files"] {
        let words = result.output.split(separator: "\n").map { $0.split(separator: " ").prefix(2).joined(separator: " ") }
        #expect(words.contains("problem \(part)") || result.output.contains(#""verdict":"problem","of":"\#(part)""#), "\(part)")
      }
    }
  }

  @Test func whatIsLegalAndUnwiseIsNamed() async throws {
    let world = ServerWorld(["ORDERS_PREFETCH": "100", "ORDERS_BATCH_MAX": "400", "ORDERS_PREFETHC": "7"])
    let diagnosis = try await Diagnosis.of(world).diagnosis
    diagnosis.expect("warning", "configuration", "prefetch", "ORDERS_PREFETCH (100) is less than ORDERS_BATCH_MAX (400)", mend: "1600")
    diagnosis.expect("warning", "configuration", "settings", "ORDERS_PREFETHC", mend: "name")
  }

  @Test func wrongSettingsAreWrongAsEverywhere() async throws {
    #expect(try await Program.run(["doctor", "--prefetch", "none"]).code == 78)
    #expect(try await Program.run(["doctor"], environment: ["ORDERS_AUTH": "off", "ORDERS_ENV": "production"]).code == 78)
    #expect(try await Program.run(["doctor", "--colour"]).code == 64)
  }
}
