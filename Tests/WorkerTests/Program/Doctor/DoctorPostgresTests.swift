import Foundation
import TestSupport
import Testing

/// `doctor` before databases that were broken by hand.
@Suite(.enabled(if: ServerWorld.isThere)) struct DoctorPostgresTests {
  @Test func missingMigrationsAndNewerOnesAreNamed() async throws {
    try await ServerWorld.with { world async throws in
      try await world.sql("INSERT INTO schema_migrations (version, name) VALUES (99, 'tomorrow')")
      let newer = try await Diagnosis.of(world)
      #expect(newer.code == 0, "\(newer.diagnosis.complaints())")
      newer.diagnosis.expect("warning", "postgres", "migrations", "does not know: 99 tomorrow", mend: "upgrade")
      try await world.sql("DELETE FROM schema_migrations WHERE version = 3")
      let older = try await Diagnosis.of(world)
      older.diagnosis.expect("problem", "postgres", "migrations", "not applied yet: 3 dead letters", mend: "order-worker setup")
      // Nothing was mended meanwhile.
      #expect(try await world.number("SELECT count(*) FROM schema_migrations WHERE version = 3") == 0)
    }
  }

  @Test func aDatabaseWithoutAnythingIsNamed() async throws {
    let diagnosis = try await Diagnosis.of(ServerWorld()).diagnosis
    diagnosis.expect("problem", "postgres", "migrations", "1 orders, 2 payments", mend: "order-worker setup")
    diagnosis.expect("warning", "postgres", "roles", "does not keep tenants apart", mend: "CREATE ROLE")
  }

  @Test func missingRolesMissingRightsAndAMissingPartitionAreNamed() async throws {
    try await ServerWorld.with { world async throws in
      let name = world.prefix
      let month = "to_char(now() AT TIME ZONE 'UTC' + interval '1 month', 'YYYY_MM')"
      try await world.sql("DO $$ BEGIN EXECUTE 'DROP TABLE audit_log_' || \(month); END $$; REVOKE INSERT ON orders FROM \(name)_tenants")
      let less = try await Diagnosis.of(world).diagnosis
      less.expect("warning", "postgres", "audit partition", "next month", mend: "order-worker setup")
      less.expect("problem", "postgres", "rights", "\(name)_tenants: INSERT on orders", mend: "order-worker setup")
      try await world.sql("DROP OWNED BY \(name)_system; DROP ROLE \(name)_system")
      let none = try await Diagnosis.of(world).diagnosis
      none.expect("warning", "postgres", "roles", "no role \(name)_system", mend: "CREATE ROLE \"\(name)_system\" NOLOGIN")
    }
  }

  /// As a user who may not take the roles, whose commits are weak, and who sees nobody else's sessions.
  @Test func whatIsWrongWithTheUserIsNamed() async throws {
    try await ServerWorld.with { world async throws in
      let user = world.prefix + "_user"
      try await world.sql("CREATE ROLE \(user) LOGIN; ALTER ROLE \(user) SET synchronous_commit = off; GRANT USAGE ON SCHEMA \(world.prefix) TO \(user)")
      try await world.sql("GRANT SELECT ON ALL TABLES IN SCHEMA \(world.prefix) TO \(user)")
      let url = Stack.databaseURL.replacing("orders@", with: "\(user)@")
      let diagnosis = try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": url]).diagnosis
      diagnosis.expect(
        "warning", "postgres", "synchronous_commit", "off for \(user), by user", mend: "ALTER ROLE \"\(user)\" RESET synchronous_commit")
      diagnosis.expect("problem", "postgres", "roles", "may not take the role \(world.prefix)_tenants", mend: "GRANT")
      diagnosis.expect("not checked", "postgres", "transactions", "hidden", mend: "pg_read_all_stats")
      // What the URL itself says beats the worker's own settings.
      let weak = try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": Stack.databaseURL + "?options=-c%20synchronous_commit%3Doff"]).diagnosis
      weak.expect("problem", "postgres", "synchronous_commit", "the worker's sessions commit with off", mend: "options")
      let hasty = try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": Stack.databaseURL + "?options=-c%20statement_timeout%3D200"]).diagnosis
      hasty.expect("warning", "postgres", "statement_timeout", "200 ms", mend: "options")
      try await world.sql("DROP OWNED BY \(user); DROP ROLE \(user)")
    }
  }

  /// As docs/deployment.md makes the worker's user: without any right but to take the two roles.
  @Test func aUserWithAWorkersRightsIsEnough() async throws {
    try await ServerWorld.with { world async throws in
      let (user, name) = (world.prefix + "_user", world.prefix)
      try await world.sql("CREATE ROLE \(user) LOGIN NOINHERIT IN ROLE \(name)_tenants, \(name)_system")
      let url = Stack.databaseURL.replacing("orders@", with: "\(user)@")
      let diagnosis = try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": url]).diagnosis
      #expect(diagnosis.complaints(of: "postgres").map(\.check) == ["transactions"], "\(diagnosis.complaints(of: "postgres"))")
      for check in ["migrations", "roles", "rights", "audit partition"] { diagnosis.expectWell("postgres", check) }
      try await world.sql("REVOKE \(name)_tenants, \(name)_system FROM \(user)")
      let less = try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": url]).diagnosis
      less.expect("problem", "postgres", "roles", "may not take the role \(name)_tenants", mend: "GRANT \"\(name)_tenants\"")
      less.expect("problem", "postgres", "rights", "may not read the schema: permission denied", mend: "docs/deployment.md")
      try await world.sql("DROP OWNED BY \(user); DROP ROLE \(user)")
    }
  }

  @Test func oneHostOfSeveralThatIsAwayIsNamedAndNoOther() async throws {
    try await ServerWorld.with { world async throws in
      let dead = freePort()
      let port = try #require(URL(string: Stack.databaseURL)?.port)
      let url = Stack.databaseURL.replacing("127.0.0.1:\(port)", with: "127.0.0.1:\(dead),127.0.0.1:\(port)")
      let diagnosis = try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": url]).diagnosis
      diagnosis.expect("problem", "postgres", "host", "refused", mend: "out of ORDERS_DATABASE_URL", at: "127.0.0.1:\(dead)")
      #expect(diagnosis.counts.problem == 1, "\(diagnosis.complaints())")
      let twice = Stack.databaseURL.replacing("127.0.0.1:\(port)", with: "127.0.0.1:\(port),localhost:\(port)")
      try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": twice]).diagnosis
        .expect("problem", "postgres", "primary", "not one cluster", mend: "ORDERS_DATABASE_URL")
      let nowhere = String(Stack.databaseURL.dropLast("orders".count)) + "nowhere"
      try await Diagnosis.of(world, ["ORDERS_DATABASE_URL": nowhere]).diagnosis.expect("problem", "postgres", "host", "does not exist", mend: "createdb")
    }
  }

  /// A standby that commits wait for and that is not there, no fsync, and few connections.
  @Test(.enabled(if: PrivatePostgres.isInstalled)) func whatIsWrongWithTheServerIsNamed() async throws {
    let settings = ["synchronous_standby_names=nobody", "max_connections=12", "autovacuum=off", "full_page_writes=off", "default_transaction_read_only=off"]
    let (server, process) = try #require(await PrivatePostgres.start(settings: settings))
    try await server.waitUntilItAnswers()
    let world = ServerWorld(["ORDERS_DATABASE_URL": server.url])
    let diagnosis = try await Diagnosis.of(world).diagnosis
    let latin = ["ORDERS_DATABASE_URL": server.url + "?options=-c%20default_transaction_read_only%3Don"]
    let readOnly = try await Diagnosis.of(world, latin).diagnosis
    await process.end(SIGKILL)
    await server.remove()
    diagnosis.expect("problem", "postgres", "synchronous standby", "\"nobody\", and none of them follows", mend: "synchronous_standby_names = ''")
    diagnosis.expect("problem", "postgres", "fsync", "fsync is off", mend: "ALTER SYSTEM SET fsync = on")
    diagnosis.expect("warning", "postgres", "full_page_writes", "full_page_writes is off", mend: "ALTER SYSTEM")
    diagnosis.expect("warning", "postgres", "autovacuum", "off", mend: "ALTER SYSTEM SET autovacuum = on")
    diagnosis.expect("warning", "postgres", "connections", "by max_connections", mend: "max_connections")
    readOnly.expect("problem", "postgres", "primary", "no host takes writes: default_transaction_read_only is on", mend: "RESET default_transaction_read_only")
  }

  @Test(.enabled(if: PostgresPair.isInstalled)) func aStandbyByItselfIsNoPrimary() async throws {
    let pair = try #require(await PostgresPair.start())
    let both = try await Diagnosis.of(ServerWorld(["ORDERS_DATABASE_URL": pair.url])).diagnosis
    let alone = try await Diagnosis.of(ServerWorld(["ORDERS_DATABASE_URL": "postgres://orders@127.0.0.1:\(pair.standbyPort)/postgres"])).diagnosis
    await pair.remove()
    both.expectWell("postgres", "synchronous standby")
    #expect(both.findings.contains { $0.of == "postgres" && $0.found.hasSuffix(", a standby") && $0.verdict == "ok" })
    #expect(!both.findings.contains { $0.check == "primary" })
    alone.expect("problem", "postgres", "primary", "all that answer are standbys", mend: "pg_promote")
  }
}
